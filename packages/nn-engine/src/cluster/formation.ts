import { PeerAiError, type PeerId } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** What a peer's load was measured to be: 0 idle, 1 all it has in use. */
export interface PeerLoad {
  readonly peer: PeerId;
  readonly load: number;
}
export interface PeerCluster {
  readonly id: string;
  /** In the order they came. */
  readonly members: readonly PeerId[];
}
export interface Formation {
  readonly clusters: readonly PeerCluster[];
  /** Number of the next new cluster; an id is never used twice. */
  readonly next: number;
}
export interface FormationOptions {
  /** Members of a cluster, count; 2 and 8 unless said. A full cluster must be enough for two but one: most ≥ 2 · least − 1. */
  readonly membersMin?: number;
  readonly membersMax?: number;
  /** A peer may join below this load, and leaves above the other one; 0.3 and 0.7 unless said. Between them all stays as it is. */
  readonly joinLoadMax?: number;
  readonly leaveLoad?: number;
}
export type FormationChange =
  | { readonly type: 'left'; readonly cluster: string; readonly peer: PeerId; readonly reason: 'busy' | 'gone' }
  /** Too few members were left; they may have joined others. */
  | { readonly type: 'dissolved'; readonly cluster: string }
  | { readonly type: 'joined'; readonly cluster: string; readonly peer: PeerId }
  | { readonly type: 'formed'; readonly cluster: string; readonly members: readonly PeerId[] };

export const noFormation: Formation = { clusters: [], next: 1 };

/**
 * Who works with whom, from measured loads and who did until now. The same arguments give the same formation, in whatever order the loads come,
 * and given the result and the same loads again nothing changes.
 *
 * Members that are gone or busy leave; a cluster with too few dissolves; who is free joins the cluster under the highest mean load that has
 * room, the least loaded first; those who are left form new clusters of even size and load, when they are enough.
 *
 * Throws INVALID_OPTION, LIMIT_REACHED.
 */
export function formClusters(
  before: Formation,
  loads: readonly PeerLoad[],
  options: FormationOptions = {},
): { readonly formation: Formation; readonly changes: readonly FormationChange[] } {
  const terms = checked(options);
  const loadOf = loadTable(loads);
  const changes: FormationChange[] = [];
  const { kept, freed } = whoStays(before, loadOf, terms, changes);
  const taken = new Set(kept.flatMap(({ members }) => members));
  const free = [...loadOf]
    .filter(([peer, load]) => !taken.has(peer) && (load < terms.joinLoadMax || freed.has(peer)))
    .sort(([a, loadOfA], [b, loadOfB]) => loadOfA - loadOfB || (a < b ? -1 : 1))
    .map(([peer]) => peer);
  const left = free.filter((peer) => !joins(peer, kept, loadOf, terms, changes));
  const formed = newClusters(left, before.next, terms);
  for (const { id, members } of formed) changes.push({ type: 'formed', cluster: id, members });
  return { formation: { clusters: [...kept, ...formed], next: before.next + formed.length }, changes };
}

type Terms = Required<FormationOptions>;
interface OpenCluster {
  readonly id: string;
  readonly members: PeerId[];
}
type Loads = ReadonlyMap<PeerId, number>;

function whoStays(before: Formation, loadOf: Loads, terms: Terms, changes: FormationChange[]) {
  const kept: OpenCluster[] = [];
  const freed = new Set<PeerId>();
  for (const { id, members } of before.clusters) {
    const stay: PeerId[] = [];
    for (const peer of members) {
      const load = loadOf.get(peer);
      if (load !== undefined && load <= terms.leaveLoad) stay.push(peer);
      else changes.push({ type: 'left', cluster: id, peer, reason: load === undefined ? 'gone' : 'busy' });
    }
    if (stay.length >= terms.membersMin) kept.push({ id, members: stay });
    else {
      changes.push({ type: 'dissolved', cluster: id });
      for (const peer of stay) freed.add(peer);
    }
  }
  return { kept, freed };
}

function joins(
  peer: PeerId,
  clusters: OpenCluster[],
  loadOf: Loads,
  terms: Terms,
  changes: FormationChange[],
): boolean {
  const meanOf = ({ members }: OpenCluster): number =>
    members.reduce((sum, member) => sum + (loadOf.get(member) ?? 0), 0) / members.length;
  const [busiest] = clusters
    .filter(({ members }) => members.length < terms.membersMax)
    .sort((a, b) => meanOf(b) - meanOf(a) || (a.id < b.id ? -1 : 1));
  if (busiest === undefined) return false;
  busiest.members.push(peer);
  changes.push({ type: 'joined', cluster: busiest.id, peer });
  return true;
}

/** As few clusters as hold them all; dealt out to and fro from the least loaded on, so that each gets its part of every load. */
function newClusters(peers: readonly PeerId[], next: number, { membersMin, membersMax }: Terms): PeerCluster[] {
  if (peers.length < membersMin) return [];
  const count = Math.ceil(peers.length / membersMax);
  const clusters = Array.from({ length: count }, (_, index): OpenCluster => ({
    id: `cluster-${next + index}`,
    members: [],
  }));
  peers.forEach((peer, place) => {
    const [row, column] = [Math.floor(place / count), place % count];
    clusters[row % 2 === 0 ? column : count - 1 - column]?.members.push(peer);
  });
  return clusters;
}

function loadTable(loads: readonly PeerLoad[]): Loads {
  if (loads.length > limits.formationPeersMax) throw tooMany('peers', limits.formationPeersMax);
  for (const { peer, load } of loads) if (!(load >= 0 && load <= 1)) throw invalid(`load of ${peer}`, load);
  const table = new Map(loads.map(({ peer, load }) => [peer, load]));
  if (table.size < loads.length) throw invalid('number of different peers', table.size);
  return table;
}

function checked(options: FormationOptions): Terms {
  const terms = { membersMin: 2, membersMax: 8, joinLoadMax: 0.3, leaveLoad: 0.7, ...options };
  const { membersMin, membersMax, joinLoadMax, leaveLoad } = terms;
  if (!Number.isSafeInteger(membersMin) || membersMin < 2) throw invalid('membersMin', membersMin);
  if (!Number.isSafeInteger(membersMax) || membersMax < 2 * membersMin - 1) throw invalid('membersMax', membersMax);
  if (membersMax > limits.formationMembersMax) throw tooMany('members', limits.formationMembersMax);
  if (!(joinLoadMax > 0 && joinLoadMax <= 1)) throw invalid('joinLoadMax', joinLoadMax);
  if (!(leaveLoad >= joinLoadMax && leaveLoad <= 1)) throw invalid('leaveLoad', leaveLoad);
  return terms;
}

const invalid = (name: string, received: number): PeerAiError<NnErrorCode> =>
  new PeerAiError('INVALID_OPTION', `The ${name} cannot be ${received}.`, { name, received: String(received) });

const tooMany = (what: string, most: number): PeerAiError<NnErrorCode> =>
  new PeerAiError('LIMIT_REACHED', `At most ${most} ${what}.`, { most });
