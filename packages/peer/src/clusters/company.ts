import type { Clock, CryptoProvider, Identity, Network, PeerId } from '@peerai/core-protocol';
import {
  createErrorExchange,
  type ErrorExchange,
  type FormationChange,
  formClusters,
  noFormation,
  type ReceivedError,
} from '@peerai/nn-engine/cluster';
import type { StatusReport } from '../status/status.schema.ts';
import { countedNetwork } from '../training/counted-network.ts';

export type Load = Pick<StatusReport, 'state' | 'answering' | 'tasksRunning'>;
export interface CompanyDeps {
  readonly identity: Identity;
  readonly network: Network;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** Devices that are here and may train, as they last said they are; those that have said nothing yet are not among them. */
  readonly others: () => readonly { readonly peer: PeerId; readonly load: Load }[];
  readonly own: () => Load;
  readonly heard: (received: ReceivedError) => void;
  /** Who works with whom is another. */
  readonly changed: (changes: readonly FormationChange[]) => void;
  readonly stopping: AbortSignal;
}
/** Peers that teach each other's clusters: those that are together by measured load, as this one sees it. */
export interface Company {
  readonly clusters: () => readonly { readonly id: string; readonly members: readonly PeerId[] }[];
  /** Looks at the loads now. */
  look(): void;
  tell(cluster: string, error: ArrayLike<number>): void;
  /** Ends what this peer has open here. */
  cutOff(peer: PeerId): void;
  /** Nobody is told or heard any more. */
  end(): void;
}

/** What is left of a peer: all of it in use, some of it, or none. */
export function loadOf({ state, answering, tasksRunning }: Load): number {
  if (state === 'busy') return 1;
  return answering + tasksRunning > 0 ? 0.5 : 0;
}

export function openCompany(deps: CompanyDeps): Company {
  const { identity } = deps;
  const network = countedNetwork(deps.network);
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, deps.stopping]);
  const exchange: ErrorExchange = createErrorExchange({ ...deps, network }, { onSignal: deps.heard, signal });
  let formation = noFormation;
  return {
    clusters: () => formation.clusters,
    look() {
      const loads = deps.others().map(({ peer, load }) => ({ peer, load: loadOf(load) }));
      const result = formClusters(formation, [...loads, { peer: identity.peer, load: loadOf(deps.own()) }]);
      formation = result.formation;
      const mine = formation.clusters.find(({ members }) => members.includes(identity.peer));
      exchange.setNeighbours(mine?.members ?? []);
      if (result.changes.length > 0) deps.changed(result.changes);
    },
    tell: (cluster, error) => exchange.send(cluster, error),
    cutOff: (peer) => network.cutOff(peer),
    end: () => ended.abort(),
  };
}
