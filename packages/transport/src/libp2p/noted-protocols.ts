import type { Clock } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { Components } from './components.ts';

type Noted = Awaited<ReturnType<Components['peerStore']['merge']>>;

/**
 * Before a stream is there, libp2p writes its protocol into the peer store, on both sides and for every stream: a lock, a decode, an encode and
 * a write, half a millisecond of the first token's way. What a connected peer was noted for a moment ago is not noted again.
 */
export function noteProtocolsOnce({ events, peerStore }: Components, clock: Pick<Clock, 'elapsedMs'>): void {
  /** When each protocol was noted, by peer; only of connected peers, and only what was spoken. One answer for all of them: each holds on to more memory than it looks. */
  const known = new Map<string, { readonly peer: Noted; readonly atMs: ReadonlyMap<string, number> }>();
  const merge = peerStore.merge.bind(peerStore);
  peerStore.merge = async (id, data, options) => {
    const [protocol, ...others] = data.protocols ?? [];
    if (protocol === undefined || others.length > 0 || Object.keys(data).length > 1) return merge(id, data, options);
    const key = id.toString();
    const nowMs = clock.elapsedMs();
    const noted = known.get(key);
    const atMs = noted?.atMs.get(protocol);
    if (noted !== undefined && atMs !== undefined && nowMs - atMs < limits.protocolNotedMs) return noted.peer;
    const peer = await merge(id, data, options);
    known.set(key, { peer, atMs: new Map(known.get(key)?.atMs).set(protocol, nowMs) });
    return peer;
  };
  events.addEventListener('peer:disconnect', ({ detail }) => void known.delete(detail.toString()));
}
