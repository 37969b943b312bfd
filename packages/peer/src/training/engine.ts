import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Network,
  type PeerId,
  type Random,
  type Runtime,
} from '@peerai/core-protocol';
import { type BlobSource, serveBlobs } from '@peerai/core-protocol/blob';
import { createTrainer, freshState } from '@peerai/nn-engine';
import {
  type CommitUpdate,
  cosineRate,
  createBlobTable,
  decodeState,
  firstState,
  type Learner,
  type Run,
  type RunDeps,
  type RunEvent,
  type Runs,
  type SharedState,
  trainerLearner,
  type UnmaskedStates,
  type UpdatePrivacy,
} from '@peerai/nn-engine/rounds';
import { openJudge } from './judge.ts';
import type { StageRow } from './stage-terms.ts';
import { type Task, weightsOfPlan } from './task.ts';
import { withStatistics } from './with-statistics.ts';
import type { HeldOut, TrainingPlan } from './training.schema.ts';

export interface EngineDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  /** For masks and noise: without it no private run, and no noise. */
  readonly random?: Random;
  readonly runtime: Runtime;
  /** Whether a peer may take part in a run here, and with none named whether it may fetch states and updates. */
  readonly mayJoin: (peer: PeerId, run?: Uint8Array) => boolean;
  /** Other bytes that are given to them. */
  readonly shards?: BlobSource;
  /** `createRuns`; or `createFollowerRuns` for who never coordinates and asks nobody but those it is told of. */
  readonly createRuns: (deps: RunDeps) => Runs;
}
export interface SeatOptions {
  readonly run: Run;
  readonly plan: TrainingPlan;
  readonly task: Task;
  readonly threads: number;
  /** The state's bytes that were kept; the run's first state without. */
  readonly from: Uint8Array | undefined;
  /** The weights of the run that the plan goes on from, where they are here: who has them not takes the coordinator's state. */
  readonly start?: Float32Array | undefined;
  readonly signal: AbortSignal;
}
/** One peer's place in one run, with its graphs loaded. */
export interface Seat extends AsyncDisposable {
  /** A state that this peer holds, as bytes; undefined when another took its place. */
  state(sha256: Uint8Array): Promise<Uint8Array | undefined>;
  measure(weights: Float32Array, signal: AbortSignal): Promise<HeldOut>;
  /** The trained model as an ONNX file. */
  model(weights: Float32Array): Uint8Array;
  /** From the newest known state to the end of the run. Throws as `Runs.takePart` does. */
  take(options: TakeOptions): Promise<SharedState>;
}
export interface TakeOptions {
  readonly ask: readonly PeerId[];
  readonly onEvent: (event: RunEvent) => void;
  /** The shared model before a round. */
  readonly onMeasured: (round: number, heldOut: HeldOut) => void;
  /** Of a run in stages: somebody else holds one, with what is to be said of it. */
  readonly onStages?: (stages: readonly StageRow[], message?: string) => void;
  readonly privacy: UpdatePrivacy | undefined;
  readonly unmasked: UnmaskedStates;
  readonly commit?: CommitUpdate | undefined;
  readonly signal: AbortSignal;
}

/** Training for one peer: answers its members and makes its steps. Disposing stops answering. */
export interface TrainingEngine extends Disposable {
  /** Throws ENGINE_MISSING, MODEL_REFUSED, INVALID_FORMAT (a kept state). */
  sit(options: SeatOptions): Promise<Seat>;
}

export function openTrainingEngine(deps: EngineDeps): TrainingEngine {
  const { crypto, mayJoin, shards } = deps;
  const blobs = createBlobTable(crypto);
  const serving = serveBlobs(deps.network, {
    length: async (sha256, peer) =>
      mayJoin(peer) ? ((await blobs.length(sha256, peer)) ?? shards?.length(sha256, peer)) : undefined,
    async read(sha256, offset, count) {
      const known = await blobs.read(sha256, offset, count);
      return known.length > 0 || shards === undefined ? known : shards.read(sha256, offset, count);
    },
  });
  const runs = deps.createRuns({ ...deps, blobs });
  return {
    async sit({ run, plan, task, threads, from, start, signal }) {
      let known = from === undefined ? firstState(start ?? weightsOfPlan(plan)) : decodeState(from, run.size);
      // With other first weights than all are to have, it must never lead the others to them.
      let mayLead = plan.start === undefined || start !== undefined || from !== undefined;
      const begun = known.round * run.localSteps;
      const learned = task.size - (task.statistics ?? 0);
      const trainer = withStatistics(
        await createTrainer(deps, {
          graph: task.trainingGraph(),
          initial: freshState(known.weights.slice(0, learned)),
          ...(learned === task.size ? {} : { statistics: { statistics: known.weights.slice(learned) } }),
          threads,
          signal,
        }),
        task,
      );
      const judge = await openJudge(deps.runtime, task, { signal, threads }).catch(async (error: unknown) => {
        await trainer[Symbol.asyncDispose]();
        throw error;
      });
      const steps = trainerLearner(trainer, {
        batch: (step) => task.batch(begun + step),
        learningRate:
          plan.schedule === undefined ? plan.learningRate : cosineRate(plan.learningRate, run.rounds * run.localSteps),
      });
      let hash: Uint8Array | undefined;
      const state = async (sha256: Uint8Array): Promise<Uint8Array | undefined> => {
        const length = await blobs.length(sha256, deps.identity.peer);
        return length === undefined ? undefined : blobs.read(sha256, 0, length);
      };
      return {
        state,
        measure: (weights, until) => judge.measure(weights, until),
        model: (weights) => task.model(weights),
        async take({ ask, onEvent, onMeasured, privacy, unmasked, commit, signal: until }) {
          const newest = hash === undefined ? undefined : await state(hash);
          if (newest !== undefined) known = decodeState(newest, run.size);
          hash = undefined;
          const learner: Learner = {
            async learn(weights, context) {
              onMeasured(context.round, await judge.measure(weights, context.signal));
              return steps.learn(weights, context);
            },
          };
          return runs.takePart({
            spec: run,
            from: known,
            ask,
            learner,
            leads: mayLead,
            unmasked,
            ...(privacy === undefined ? {} : { privacy }),
            ...(commit === undefined ? {} : { commit }),
            onEvent(event) {
              if (event.type === 'closed') {
                hash = event.hash;
                mayLead = true;
              }
              onEvent(event);
            },
            signal: until,
          });
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([trainer[Symbol.asyncDispose](), judge[Symbol.asyncDispose]()]);
        },
      };
    },
    [Symbol.dispose]() {
      runs[Symbol.dispose]();
      serving[Symbol.dispose]();
    },
  };
}
