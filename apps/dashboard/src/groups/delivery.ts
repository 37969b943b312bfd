import type { GroupMessageView, GroupSentView } from '@peerai/peer/control';
import type { DotName } from '../shared/dots.ts';
import { dotOf } from '../ui/delivery.ts';
import { talk } from './strings.ts';

type Receiver = GroupSentView['members'][number];

export const stateText = ({ state, code }: Receiver): string =>
  code === undefined ? talk.states[state] : talk.because(talk.states[state], code);

/** Where a message stands with all of them, in a few words: who did not get it comes before who waits. */
export function summaryOf(members: readonly Receiver[]): { readonly dot: DotName; readonly text: string } {
  const count = (match: (dot: DotName) => boolean): number => members.filter((one) => match(dotOf(one.state))).length;
  const has = count((dot) => dot === 'direct');
  const missed = count((dot) => dot === 'blocked');
  if (missed > 0) return { dot: 'blocked', text: talk.missed(missed) };
  if (count((dot) => dot === 'pending') > 0) return { dot: 'pending', text: talk.some(has, members.length) };
  return has > 0 && has === members.length
    ? { dot: 'direct', text: talk.all(has) }
    : { dot: 'offline', text: talk.forgotten };
}

/** What was said in a group by anybody, oldest first. */
export type Said =
  | { readonly own: false; readonly message: GroupMessageView }
  | { readonly own: true; readonly message: GroupSentView };

export const inOrder = (received: readonly GroupMessageView[], sent: readonly GroupSentView[]): readonly Said[] =>
  [
    ...received.map((message) => ({ own: false as const, message })),
    ...sent.map((message) => ({ own: true as const, message })),
  ].toSorted((a, b) => a.message.sentMs - b.message.sentMs);
