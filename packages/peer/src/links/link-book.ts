import type { Link, Network, PeerId } from '@peerai/core-protocol';

/** The best live link to each peer, as the network tells it: direct before relayed, then the quicker one. */
export interface LinkBook {
  get(peer: PeerId): Link | undefined;
  list(): readonly Link[];
  /** Bytes over all links since the start, those that ended included. */
  bytes(): number;
  /** One change as the network told it. */
  take(link: Link): void;
  /** Runs until the signal fires. `onChange` sees the best link of a peer after each change, `undefined` when the last is gone. */
  run(
    network: Network,
    signal: AbortSignal,
    onChange: (peer: PeerId, link: Link | undefined, before: Link | undefined) => void,
  ): Promise<void>;
}

export function createLinkBook(): LinkBook {
  const links = new Map<PeerId, Map<string, Link>>();
  let endedBytes = 0;
  const best = (peer: PeerId): Link | undefined => [...(links.get(peer)?.values() ?? [])].sort(byQuality)[0];
  const take = (link: Link): void => {
    const ofPeer = links.get(link.peer) ?? new Map<string, Link>();
    links.set(link.peer, ofPeer);
    const key = `${link.path} ${link.address}`;
    if (link.state === 'up') {
      ofPeer.set(key, link);
      return;
    }
    endedBytes += link.bytesSent + link.bytesReceived;
    ofPeer.delete(key);
    if (ofPeer.size === 0) links.delete(link.peer);
  };
  return {
    get: best,
    take,
    list: () => [...links.keys()].map(best).filter((link) => link !== undefined),
    bytes: () =>
      [...links.values()]
        .flatMap((ofPeer) => [...ofPeer.values()])
        .reduce((sum, link) => sum + link.bytesSent + link.bytesReceived, endedBytes),
    async run(network, signal, onChange) {
      for await (const link of network.links(signal)) {
        const before = best(link.peer);
        take(link);
        onChange(link.peer, best(link.peer), before);
      }
    },
  };
}

function byQuality(a: Link, b: Link): number {
  if (a.path !== b.path) return a.path === 'direct' ? -1 : 1;
  return a.roundTripMs - b.roundTripMs;
}
