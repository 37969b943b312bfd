import { peerIdFromString } from '@libp2p/peer-id';
import type { Clock, PeerId } from '@peerai/core-protocol';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/**
 * libp2p dials by itself too: for relays, the DHT, gossip. Two dials of one peer at the same time make two links. So its dials wait for one of ours that is
 * under way and then find the link; the function that comes back makes ours wait for one of its own. Each for a while only, since dials through each other's
 * peers could wait for one another. It never throws.
 */
export function shareDials(
  { connectionManager }: Components,
  clock: Clock,
  ours: ReadonlyMap<string, Promise<unknown>>,
): (peer: PeerId, signal: AbortSignal) => Promise<void> {
  const openConnection = connectionManager.openConnection.bind(connectionManager);
  connectionManager.openConnection = async (target, options) => {
    const text = String(Array.isArray(target) ? target[0] : target);
    const mine = ours.get(text.slice(text.lastIndexOf('/') + 1));
    if (mine !== undefined) await Promise.race([mine.catch(() => undefined), clock.sleep(limits.joinDialMs)]);
    return openConnection(target, options);
  };
  return async (peer, signal) => {
    const isDialled = connectionManager.getDialQueue().some(({ peerId }) => peerId?.toString() === peer);
    if (!isDialled) return;
    const bounded = clock.deadline(limits.joinDialMs, signal);
    await openConnection(peerIdFromString(peer), { signal: bounded }).catch(() => undefined);
  };
}
