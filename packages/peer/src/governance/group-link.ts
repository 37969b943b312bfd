import type { PeerId } from '@peerai/core-protocol';
import { type AgreementLink, saysWhere } from '@peerai/ledger/agreement';
import type { GroupTopic, GroupTopicOptions } from './group-topic.ts';
import type { Lines } from './lines.ts';

export interface GroupLink extends AgreementLink {
  /** Whether a member to which there is no channel is heard over the topic. */
  hears(peer: PeerId): boolean;
}

/**
 * Channels, and beside them the group's topic for members to which there is none; it is joined as long as somebody listens. Where this member stands is said
 * there as often as over channels, so they find each other and what was lost comes again; all else once such a member was heard there. A group whose members
 * are all linked, or away, says no more than that.
 *
 * @param join - the topic; undefined: there is none.
 */
export function groupLink(
  lines: Pick<Lines, 'link' | 'reaches'>,
  group: string,
  join: ((options: Pick<GroupTopicOptions, 'hear' | 'signal'>) => GroupTopic) | undefined,
): GroupLink {
  const link = lines.link(group);
  let topic: GroupTopic | undefined;
  const hears = (peer: PeerId): boolean => !lines.reaches(peer) && topic?.hears(peer) === true;
  return {
    hears,
    broadcast(to, bytes) {
      link.broadcast(to, bytes);
      const isMeant = to.some(hears) || (to.some((peer) => !lines.reaches(peer)) && saysWhere(bytes));
      if (isMeant) topic?.say(bytes);
    },
    send(to, bytes) {
      link.send(to, bytes);
      if (hears(to)) topic?.say(bytes, [to]);
    },
    receive(handler) {
      const ending = new AbortController();
      const end = link.receive(handler);
      topic = join?.({ hear: handler, signal: ending.signal });
      return () => {
        end();
        topic = undefined;
        ending.abort();
      };
    },
  };
}
