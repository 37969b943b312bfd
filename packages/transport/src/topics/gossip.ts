import { gossipsub, type GossipSub } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import type { Clock } from '@peerai/core-protocol';
import type { Components } from '../libp2p/components.ts';
import { limits } from '../limits.ts';

/** Gossip as a service of libp2p. */
export function gossipService() {
  return gossipsub({
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    // Several peers behind one address (an office, a NAT, this machine) are not an attack.
    scoreParams: { IPColocationFactorWeight: 0, retainScore: limits.scoreKeptMs },
    fastMsgIdFn: ({ signature }) => markOf(signature),
  });
}

/**
 * A message comes from every neighbour in the mesh, and without a mark gossipsub checks the signature of each copy before it sees that it has the message:
 * that was 45 % of the work among twelve. Marks are kept of what was checked only, and nobody can make another message with a signature that was.
 */
function markOf(signature: Uint8Array | undefined): string {
  return signature === undefined ? '' : String.fromCharCode(...signature.subarray(0, signatureBytes));
}
const signatureBytes = 64;

/** What gossipsub has and its public type does not name. */
interface Streams {
  readonly streamsOutbound: ReadonlyMap<string, unknown>;
}

/**
 * gossipsub speaks to a peer over one stream, opened when the peer comes. When that stream ends and another connection is left, or when it could not be
 * opened, the peer stays in the mesh and hears nothing of us until it comes anew. So a stream that is missing is asked for again, with growing pauses.
 */
export function keepGossipStreams(
  { events, registrar, connectionManager }: Components,
  pubsub: GossipSub,
  clock: Pick<Clock, 'elapsedMs'>,
): void {
  const { streamsOutbound } = pubsub as unknown as Streams;
  const asked = new Map<string, { readonly atMs: number; readonly pauseMs: number }>();

  function ask(peer: PeerId): void {
    const id = peer.toString();
    const open = connectionManager.getConnections(peer).find(({ status }) => status === 'open');
    if (open === undefined || streamsOutbound.has(id)) return;
    for (const protocol of pubsub.protocols)
      for (const topology of registrar.getTopologies(protocol)) void topology.onConnect?.(peer, open);
  }

  events.addEventListener('connection:close', ({ detail: { remotePeer } }) => {
    if (pubsub.getPeers().some((peer) => peer.equals(remotePeer))) queueMicrotask(() => ask(remotePeer));
  });
  events.addEventListener('peer:disconnect', ({ detail }) => void asked.delete(detail.toString()));
  pubsub.addEventListener('gossipsub:heartbeat', () => {
    for (const peer of pubsub.getPeers()) {
      const id = peer.toString();
      if (streamsOutbound.has(id)) {
        asked.delete(id);
        continue;
      }
      const last = asked.get(id);
      const nowMs = clock.elapsedMs();
      if (last !== undefined && nowMs - last.atMs < last.pauseMs) continue;
      const pauseMs = Math.min(2 * (last?.pauseMs ?? limits.gossipStreamAgainMs), limits.gossipStreamAgainMsMax);
      asked.set(id, { atMs: nowMs, pauseMs });
      // The first look is a moment after the peer came: its stream may be on the way.
      if (last !== undefined) ask(peer);
    }
  });
}
