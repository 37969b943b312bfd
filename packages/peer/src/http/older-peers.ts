import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { Contact } from '@peerai/messaging/http';
import type { PeerHttp } from './open-messenger.ts';
import type { OlderPeerPatch, OlderPeerView } from './older-peers.schema.ts';

/** Peers of older implementations, and what the owner lets them do. */
export interface OlderPeers {
  list(): readonly OlderPeerView[];
  /** Durable. Throws DEVICE_UNKNOWN, REFUSED (nothing could come back to it, or its name proves nothing), what the store throws. */
  change(name: string, patch: OlderPeerPatch): Promise<OlderPeerView>;
}

/** @param changed - a peer may do less or more: what it runs here without the right ends. */
export function createOlderPeers(
  { contacts, counts }: Pick<PeerHttp, 'contacts' | 'counts'>,
  changed: (peer: PeerId) => void,
): OlderPeers {
  const viewOf = (contact: Contact): OlderPeerView => view(contact, counts.get(contact.peer));
  return {
    list: () => contacts.list().map(viewOf),
    async change(name, { allow }) {
      const contact = contacts.byName(name);
      if (contact === undefined)
        throw new PeerAiError('DEVICE_UNKNOWN', `no older peer is called "${name.slice(0, 80)}"`);
      if (allow.length > 0 && contact.url === undefined)
        throw new PeerAiError('REFUSED', `${contact.name} has no url in http.peers, so no result could go to it`);
      const now = await contacts.allow(name, allow);
      changed(now.peer);
      return viewOf(now);
    },
  };
}

const view = (
  { name, profile, url, peer, isNamed, allow }: Contact,
  counts: ReturnType<PeerHttp['counts']['get']>,
): OlderPeerView => ({
  v: 1,
  name,
  profile,
  url: url ?? null,
  peerId: peer,
  named: isNamed,
  allow: [...allow],
  seenMs: counts?.seenMs ?? null,
  trouble: counts?.lastError ?? counts?.toldError ?? null,
});
