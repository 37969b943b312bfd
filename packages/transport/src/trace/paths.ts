import type { Network, Paths, PeerId } from '@peerai/core-protocol';
import type { Components } from '../libp2p/components.ts';
import { circuitsThrough } from '../network/addresses.ts';
import { limits } from './limits.ts';
import { watchObserved } from './observed.ts';
import { createTraceBook, type TraceBook } from './trace-book.ts';
import { traceAddresses, type TracerDeps } from './tracer.ts';

export interface PathsDeps extends Pick<TracerDeps, 'components' | 'clock' | 'random' | 'isForeign'> {
  /** Addresses in a peer's own signed record. */
  readonly announced: (peer: PeerId) => readonly string[];
}
export interface PathsOptions {
  readonly relays: () => readonly string[];
  /** How long a connection may take. */
  readonly timeoutMs: number;
  readonly placesOf?: ((peer: PeerId) => Promise<readonly string[]>) | undefined;
  /** What else this node knows of its own ways. */
  readonly facts?: Pick<Paths, 'nat' | 'checked'>;
}

/** The port Paths of a node, and where the node tells it what happens. */
export interface NodePaths {
  readonly paths: Paths;
  readonly relayTold: TraceBook['relayTold'];
  /** The network, with its failures written down. */
  over(network: Network): Network;
}

export function createPaths(deps: PathsDeps, { relays, timeoutMs, placesOf, facts }: PathsOptions): NodePaths {
  const book = createTraceBook(deps.clock);
  const addressMs = Math.min(timeoutMs, limits.traceAddressMs);
  const known = async (peer: PeerId): Promise<readonly string[]> => [
    ...deps.announced(peer),
    ...((await placesOf?.(peer)) ?? []),
    ...circuitsThrough(relays(), peer),
  ];
  return {
    paths: {
      ...facts,
      last: (peer) => book.last(peer),
      relay: (address) => book.relay(address),
      observed: watchObserved(deps.components),
      attempt: (peer, { addresses = [], signal }) =>
        traceAddresses({ ...deps, known, addressMs }, peer, addresses, signal),
    },
    relayTold: (address, reason) => book.relayTold(address, reason),
    over: (network) => book.over(network),
  };
}

export type MakePaths = (components: Components, deps: Omit<PathsDeps, 'components'>) => NodePaths;
