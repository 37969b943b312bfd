import {
  type Clock,
  type CryptoProvider,
  type Identity,
  PeerAiError,
  type PeerId,
  type Runtime,
  toHex,
} from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import type { NnErrorCode } from '@peerai/nn-engine';
import { cosineRate, decodeState, encodeState, firstState, signReceipt } from '@peerai/nn-engine/rounds';
import { createStageTrainer } from '@peerai/nn-engine/split';
import { cutModel, placeStages, weightsOf } from '../models/split/open-split.ts';
import type { CountedNetwork } from './counted-network.ts';
import type { Seat, SeatOptions, TakeOptions } from './engine.ts';
import { openJudge } from './judge.ts';
import { splitOfPlan, type StageRow } from './stage-terms.ts';
import { weightsOfPlan } from './task.ts';

export interface StagesSeatDeps {
  readonly network: CountedNetwork;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly runtime: Runtime;
  readonly nameOf: (peer: PeerId) => string;
  readonly giveWeights: (source: BlobSource) => Promise<Disposable>;
}

/**
 * A run whose one member, this peer, has the data and drives the steps, while the layers are held by the devices of its stages. A round is `localSteps` steps;
 * after it the weights come back and are kept, so that a lost device costs no more than the steps of one round.
 */
export async function openStagesSeat(
  deps: StagesSeatDeps,
  options: SeatOptions & { readonly stages: readonly StageRow[] },
): Promise<Seat> {
  const { crypto, identity, runtime } = deps;
  const { run, plan, task, threads, from, start, signal } = options;
  let known = from === undefined ? firstState(start ?? weightsOfPlan(plan)) : decodeState(from, run.size);
  let bytes = encodeState(known);
  let measured = -1;
  /** Who was lost before is asked again when nobody else is left. */
  const before = new Set<PeerId>();
  let stages = options.stages.map((row): StageRow => ({ ...row, holder: undefined }));
  const judge = await openJudge(runtime, task, { threads, signal });
  const model = splitOfPlan(plan);
  const rateOf =
    plan.schedule === undefined ? () => plan.learningRate : cosineRate(plan.learningRate, run.rounds * run.localSteps);
  const change = (index: number, more: (row: StageRow) => StageRow): void => {
    stages = stages.map((row, place) => (place === index ? more(row) : row));
  };

  /** From the state that is kept, until the run is over or a stage is lost. `away`: who is passed over, and why. */
  const goOn = async (away: Map<PeerId, string>, take: TakeOptions): Promise<void> => {
    const { onEvent, onMeasured, onStages, signal: until } = take;
    const places = stages.map((row) => {
      const there = row.places.filter((peer) => !away.has(peer));
      return { places: [...there.filter((peer) => !before.has(peer)), ...there.filter((peer) => before.has(peer))] };
    });
    const cut = cutModel(crypto, model, known.weights, stages.length);
    using _ = await deps.giveWeights(counted(deps.network, weightsOf(places, cut)));
    const told = {
      opened: (index: number, holder: PeerId) => {
        change(index, (row) => ({ ...row, holder }));
        onStages?.(stages);
      },
      lost: (index: number, peer: PeerId, code: string) => {
        away.set(peer, code);
        before.add(peer);
        change(index, (row) => ({ ...row, holder: undefined, lost: { peer, code } }));
        const who = `stage ${index + 1} of ${stages.length} is not with ${deps.nameOf(peer)} (${code})`;
        onStages?.(stages, `${who}; the run goes on from round ${known.round} where another holds it`);
      },
    };
    const { weights } = known;
    const placing = { cut, stages: places, weights, mode: 'learn', activations: 'float32', threads } as const;
    await using placed = await placeStages({ ...deps, ...told }, placing, until);
    const trainer = createStageTrainer(placed.placed);
    while (known.round < run.rounds) {
      const { round } = known;
      // After a loss it begins with what was measured already.
      if (measured !== round) onMeasured(round, await judge.measure(known.weights, until));
      measured = round;
      onEvent({ type: 'opened', round, members: 1 });
      let loss = 0;
      for (let local = 0; local < run.localSteps; local += 1) {
        const step = round * run.localSteps + local;
        const made = await trainer.step(task.batch(step), rateOf(step), until);
        loss += made.loss / run.localSteps;
      }
      const next = { ...known, round: round + 1, weights: finite(await trainer.weights(until)) };
      const base = crypto.sha256(bytes);
      [known, bytes] = [next, encodeState(next)];
      const hash = crypto.sha256(bytes);
      const said = { run: run.hash, term: 0, round, base, update: hash, updateBytes: bytes.length, loss };
      const receipts = [signReceipt(identity, said)];
      onEvent({ type: 'closed', round, base, hash, loss, peers: [identity.peer], refused: [], receipts });
      away.clear();
    }
  };

  return {
    state: async (sha256) => (toHex(crypto.sha256(bytes)) === toHex(sha256) ? bytes : undefined),
    measure: (weights, until) => judge.measure(weights, until),
    model: (weights) => task.model(weights),
    async take(take) {
      const away = new Map<PeerId, string>();
      take.onEvent({ type: 'coordinator', peer: identity.peer, term: 0 });
      for (;;) {
        try {
          await goOn(away, take);
          return known;
        } catch (error) {
          if (take.signal.aborted || !PeerAiError.is(error, 'STAGE_LOST')) throw error;
          const { index } = error.details as { readonly index: number };
          const row = stages[index];
          const isLeft = row?.places.some((peer) => !away.has(peer)) === true;
          const who = (row?.places ?? []).flatMap((peer) => {
            const code = away.get(peer);
            return code === undefined ? [] : [`${deps.nameOf(peer)} (${code})`];
          });
          if (!isLeft) throw nobodyLeft(`stage ${index + 1} of ${stages.length}`, who, known.round);
        }
      }
    },
    [Symbol.asyncDispose]: () => judge[Symbol.asyncDispose](),
  };
}

/** Weights that go to holders are traffic of the run too. */
const counted = (network: CountedNetwork, source: BlobSource): BlobSource => ({
  length: (sha256, peer) => source.length(sha256, peer),
  async read(sha256, offset, count) {
    const piece = await source.read(sha256, offset, count);
    network.countSent(piece.length);
    return piece;
  },
});

/** A device may answer anything; a state with such numbers would be kept as the last good one. */
function finite(weights: Float32Array): Float32Array {
  if (weights.every((weight) => Number.isFinite(weight))) return weights;
  throw new PeerAiError<NnErrorCode>('NOT_FINITE', 'a stage came back with weights that are no numbers');
}

const nobodyLeft = (stage: string, who: readonly string[], round: number): PeerAiError<NnErrorCode> =>
  new PeerAiError<NnErrorCode>(
    'STAGE_LOST',
    `${stage} is with nobody any more: ${who.join(', ')}; the run was at round ${round}`,
  );
