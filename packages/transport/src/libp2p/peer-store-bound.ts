import type { PeerId as Libp2pPeerId } from '@libp2p/interface';
import { limits } from '../limits.ts';
import type { Components } from './components.ts';

/**
 * libp2p remembers every peer it was told of or connected to for hours, however many. Here those without a connection are
 * bounded: the one met longest ago is forgotten. Live connections keep theirs; there are `maxConnections` of them at most.
 */
export function boundPeerStore(components: Components, idlePeersMax: number = limits.idlePeersMax): void {
  const { events, peerStore, connectionManager } = components;
  const idle = new Map<string, Libp2pPeerId>();

  const isConnected = (peer: Libp2pPeerId): boolean => connectionManager.getConnections(peer).length > 0;

  function met(peer: Libp2pPeerId): void {
    const id = peer.toString();
    idle.delete(id);
    if (isConnected(peer)) return;
    idle.set(id, peer);
    if (idle.size <= idlePeersMax) return;
    const [oldest] = idle.values();
    if (oldest === undefined) return;
    idle.delete(oldest.toString());
    // It may be gone already, or the node may be stopping; then there is nothing to forget.
    peerStore.delete(oldest).catch(() => undefined);
  }

  events.addEventListener('peer:update', ({ detail }) => met(detail.peer.id));
  events.addEventListener('peer:disconnect', ({ detail }) => met(detail));
  events.addEventListener('peer:connect', ({ detail }) => void idle.delete(detail.toString()));
}
