import {
  callMethod,
  type Clock,
  concatBytes,
  type CryptoProvider,
  type Network,
  PeerAiError,
  type PeerId,
  streamMethod,
} from '@peerai/core-protocol';
import type { Clusters } from '../clusters/clusters.ts';
import type { ClusterHead } from '../clusters/own-clusters.ts';
import { eachPercent } from '../events/each-percent.ts';
import type { OwnMemory, PeerMemory } from '../memory/memory.ts';
import type { Device } from '../pairing/devices.ts';
import { ownLimits } from './limits.ts';
import {
  fromForm,
  type OwnAnswer,
  ownMethod,
  type OwnQuestion,
  plainAnswer,
  plainQuestion,
  toForm,
} from './own-protocol.ts';
import { differing, digestOf, packed, partsOf, unpacked } from './parts.ts';

export interface OwnRoomDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly memory: Pick<PeerMemory, 'own'>;
  readonly clusters: Pick<Clusters, 'own'>;
  /** A key of a device that this one's owner declared its own, and that is not blocked. */
  readonly isOwn: (peer: PeerId) => boolean;
}
/** What one comparison with another device brought here. */
export interface Brought {
  capsules: number;
  forgotten: number;
  clusters: number;
  /** Clusters that both had changed apart: the work of one device was lost. */
  conflicts: number;
  /** What could not be taken, with its reason; the newest one of several. */
  problem?: string;
}

/** Answers a device of this owner. Throws NOT_GRANTED to everybody else, INVALID_FORMAT, CLUSTER_UNKNOWN. */
export async function* answerOwn(
  deps: OwnRoomDeps,
  peer: PeerId,
  { kind, bucket = -1, ids, name = '' }: OwnQuestion,
): AsyncGenerator<OwnAnswer, void, undefined> {
  checkOwn(deps, peer);
  if (kind === 'digest') yield { ...plainAnswer, digest: digestOf(deps.crypto, await memoryParts(deps)) };
  else if (kind === 'bucket') {
    const { held, gone } = (await memoryParts(deps))[bucket] ?? { held: [], gone: [] };
    for (const some of slices(held, ownLimits.idsPerAnswerMax)) yield { ...plainAnswer, held: packed(some) };
    for (const some of slices(gone, ownLimits.idsPerAnswerMax)) yield { ...plainAnswer, gone: packed(some) };
  } else if (kind === 'capsules') {
    const wanted = unpacked(ids);
    if (wanted.length > ownLimits.capsulesPerQuestionMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `at most ${ownLimits.capsulesPerQuestionMax} capsules at once`);
    const memory = await deps.memory.own();
    const offered = new Set(memory.ownIds(deps.isOwn).held);
    for (const id of wanted) {
      const capsule = offered.has(id) ? await memory.giveOwn(id) : undefined;
      // Not his any more while capsules go over: then the rest stays here.
      checkOwn(deps, peer);
      if (capsule !== undefined) yield { ...plainAnswer, capsule };
    }
  } else if (kind === 'clusters') {
    const heads = (await deps.clusters.own()).heads();
    yield { ...plainAnswer, clusters: heads.slice(0, ownLimits.clustersToldMax).map(toForm) };
  } else if (kind === 'cluster') {
    const state = (await deps.clusters.own()).stateOf(name);
    for (let place = 0; place < state.length; place += ownLimits.pieceBytes)
      yield { ...plainAnswer, piece: state.subarray(place, place + ownLimits.pieceBytes) };
  } else yield plainAnswer;
}

/** Asks a device of this owner for what is not here, and takes it; `told` hears how many parts of the memories were compared. Throws what it says, ABORTED, NOT_GRANTED when it is no device of this owner any more. */
export async function pullFrom(
  deps: OwnRoomDeps,
  device: Device,
  signal: AbortSignal,
  told: (done: number, all: number) => void = () => undefined,
): Promise<Brought> {
  const brought: Brought = { capsules: 0, forgotten: 0, clusters: 0, conflicts: 0 };
  const tell = eachPercent((_, done, all) => told(done, all));
  await pullMemory(deps, device, brought, signal, (done, all) => tell('memory', done, all));
  await pullClusters(deps, device, brought, signal);
  return brought;
}

/** Two sets that only grow: ids that are held, and ids that were forgotten, which win. So the order of comparisons makes no difference. */
async function pullMemory(
  deps: OwnRoomDeps,
  device: Device,
  brought: Brought,
  signal: AbortSignal,
  told: (done: number, all: number) => void,
): Promise<void> {
  const memory = await deps.memory.own();
  const options = { signal, addresses: device.addresses };
  const { digest } = await callMethod(deps, device.peer, ownMethod, { ...plainQuestion, kind: 'digest' }, options);
  const mine = memory.ownIds(deps.isOwn);
  const buckets = differing(digestOf(deps.crypto, partsOf(mine)), digest);
  for (const [place, bucket] of buckets.entries()) {
    told(place, buckets.length);
    const theirs = await idsAt(deps, device, bucket, signal);
    const gone = new Set(memory.ownIds(deps.isOwn).gone);
    const buried = theirs.gone.filter((id) => !gone.has(id));
    for (const some of slices(buried, ownLimits.capsulesPerQuestionMax)) {
      checkOwn(deps, device.peer);
      brought.forgotten += await memory.bury(some);
      for (const id of some) gone.add(id);
    }
    const held = new Set(memory.ownIds(deps.isOwn).held);
    const missing = theirs.held.filter((id) => !held.has(id) && !gone.has(id));
    for (const some of slices(missing, ownLimits.capsulesPerQuestionMax))
      await takeSome(deps, memory, device, some, brought, signal);
  }
  told(buckets.length, buckets.length);
}

async function idsAt(deps: OwnRoomDeps, { peer, addresses }: Device, bucket: number, signal: AbortSignal) {
  const ids = { held: [] as string[], gone: [] as string[] };
  const question = { ...plainQuestion, kind: 'bucket' as const, bucket };
  for await (const { held, gone } of streamMethod(deps, peer, ownMethod, question, { signal, addresses })) {
    ids.held.push(...unpacked(held));
    ids.gone.push(...unpacked(gone));
    if (ids.held.length + ids.gone.length > ownLimits.bucketIdsMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `more than ${ownLimits.bucketIdsMax} ids in a part of a memory`);
  }
  return ids;
}

async function takeSome(
  deps: OwnRoomDeps,
  memory: OwnMemory,
  { peer, addresses }: Device,
  ids: readonly string[],
  brought: Brought,
  signal: AbortSignal,
): Promise<void> {
  const question = { ...plainQuestion, kind: 'capsules' as const, ids: packed(ids) };
  const signed: Uint8Array[] = [];
  for await (const { capsule } of streamMethod(deps, peer, ownMethod, question, { signal, addresses })) {
    if (capsule === undefined || signed.length === ids.length)
      throw new PeerAiError('INVALID_FORMAT', 'other capsules than those that were asked for');
    signed.push(capsule);
  }
  checkOwn(deps, peer);
  for (const result of await memory.takeOwn(signed))
    if (result.outcome === 'taken') brought.capsules += 1;
    else if (result.outcome === 'refused') brought.problem = result.reason;
}

async function pullClusters(deps: OwnRoomDeps, device: Device, brought: Brought, signal: AbortSignal): Promise<void> {
  const clusters = await deps.clusters.own();
  const options = { signal, addresses: device.addresses };
  const answer = await callMethod(deps, device.peer, ownMethod, { ...plainQuestion, kind: 'clusters' }, options);
  for (const head of answer.clusters.map(fromForm)) {
    checkOwn(deps, device.peer);
    try {
      const outcome = await clusters.merge(head, () => stateAt(deps, device, head, signal));
      if (outcome !== 'same') brought.clusters += 1;
      if (outcome === 'conflict') brought.conflicts += 1;
    } catch (error) {
      if (signal.aborted || !PeerAiError.is(error, 'LIMIT_REACHED', 'INVALID_FORMAT', 'CLUSTER_UNKNOWN')) throw error;
      brought.problem = error.message;
    }
  }
}

async function stateAt(
  deps: OwnRoomDeps,
  { peer, addresses }: Device,
  { name }: ClusterHead,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const question = { ...plainQuestion, kind: 'cluster' as const, name };
  for await (const { piece } of streamMethod(deps, peer, ownMethod, question, { signal, addresses })) {
    if (piece === undefined || (length += piece.length) > ownLimits.stateBytesMax)
      throw new PeerAiError('INVALID_FORMAT', 'this is no state of a cluster');
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}

const memoryParts = async ({ memory, isOwn }: OwnRoomDeps) => partsOf((await memory.own()).ownIds(isOwn));

function checkOwn({ isOwn }: OwnRoomDeps, peer: PeerId): void {
  if (!isOwn(peer)) throw new PeerAiError('NOT_GRANTED', 'this peer is not declared a device of the same owner');
}

function* slices<T>(all: readonly T[], count: number): Generator<readonly T[], void, undefined> {
  for (let start = 0; start < all.length; start += count) yield all.slice(start, start + count);
}
