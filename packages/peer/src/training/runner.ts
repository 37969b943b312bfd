import {
  type Clock,
  type CryptoProvider,
  fromHex,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  type Runtime,
  type Shelf,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import type { BlobSource } from '@peerai/core-protocol/blob';
import type { Run } from '@peerai/nn-engine/rounds';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { onDemand } from '../store/on-demand.ts';
import type { ActiveRun } from './active-run.ts';
import type { CommitmentsDeps } from './commitments.ts';
import { countedNetwork } from './counted-network.ts';
import { findData, readText } from './data-sets.ts';
import type { AdapterPlan, HeldBase } from './adapter-plan.ts';
import type { Seat, SeatOptions, TrainingEngine } from './engine.ts';
import { decodePlan } from './plan.ts';
import { budgetOf, type PrivacyTerms } from './privacy.ts';
import { forgetOldest, isEnded, places, readWhole, type RoundRow, type RunBook, type RunHead } from './run-book.ts';
import type { StageRow } from './stage-terms.ts';
import type { TrainingPlan } from './training.schema.ts';

export interface RunnerDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly ledger: CommitmentsDeps['ledger'];
  readonly network: Network;
  readonly book: RunBook;
  /** Throws UNSUPPORTED. */
  readonly shelf: () => Shelf;
  readonly runtime: (() => Promise<Runtime>) | undefined;
  /** As the engine asks. */
  readonly mayJoin: (peer: PeerId, run?: Uint8Array) => boolean;
  readonly shards: BlobSource;
  /** What an adapter is of. Throws BASE_MISSING. */
  readonly baseOf: (base: AdapterPlan['base']) => Promise<HeldBase>;
  /** The weights that a run begins with which goes on from another; undefined where they are not here. */
  readonly startOf: (start: NonNullable<TrainingPlan['start']>) => Promise<Float32Array | undefined>;
  readonly nameOf: (peer: PeerId) => string;
  /** To those who hold stages of ours. */
  readonly giveWeights: (source: BlobSource) => Promise<Disposable>;
  readonly changed: (head: RunHead, isWhole: boolean) => void;
  readonly closed: (id: string, row: RoundRow) => void;
}
/** A run as this peer takes part in it. */
export interface Part {
  readonly run: Run;
  readonly plan: TrainingPlan;
  readonly planText: string;
  readonly by: PeerId;
  readonly dataId: string;
  readonly threads: number;
  readonly privacy: PrivacyTerms | undefined;
  /** Who holds which layers, of a run in stages. */
  readonly stages?: readonly StageRow[] | undefined;
  /** The run as it was before a restart. */
  readonly before?: RunHead;
}
/** Runs one run at a time, as a machine that trains two trains both slower. */
export interface Runner {
  /** The run under way; not one that is over and still frees its place. */
  current(): RunHead | undefined;
  /** Prepares and takes part, unless one is under way or being prepared. Throws RUN_ACTIVE, ENGINE_MISSING, what the data and graphs throw. */
  begin(prepare: () => Promise<Part>): Promise<RunHead>;
  /** Whether one is being prepared. */
  isPreparing(): boolean;
  /** Leaves the run under way. */
  stop(): Promise<RunHead | undefined>;
  /** Goes on where this peer ended before. */
  resume(head: RunHead): Promise<void>;
  cutOff(peer: PeerId): void;
  close(): Promise<void>;
}

interface Going {
  readonly active: ActiveRun;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export function createRunner(deps: RunnerDeps): Runner {
  const { book, clock, identity } = deps;
  const network = countedNetwork(deps.network);
  const closing = new AbortController();
  let going: Going | undefined;
  let isBusy = false;
  const runtimeOf = async (): Promise<Runtime> => {
    if (deps.runtime !== undefined) return deps.runtime();
    throw new PeerAiError('ENGINE_MISSING', 'this peer has nothing to compute with: install onnxruntime-node');
  };
  const openEngine = async (): Promise<TrainingEngine> => {
    const [{ createRuns, openTrainingEngine }, runtime] = await Promise.all([import('./lazy.ts'), runtimeOf()]);
    return openTrainingEngine({ ...deps, network, runtime, createRuns });
  };
  const held = onDemand(openEngine);
  const sit = async (options: SeatOptions, stages: Part['stages']): Promise<Seat> => {
    if (stages === undefined) return (await held.get()).sit(options);
    const { openStagesSeat } = await import('./stages-seat.ts');
    return openStagesSeat({ ...deps, network, runtime: await runtimeOf() }, { ...options, stages });
  };

  /** Loads everything, writes the run down, and lets it go. */
  const take = async (part: Part): Promise<RunHead> => {
    const { run, plan, threads, before } = part;
    const shelf = deps.shelf();
    const data = findData(book, part.dataId);
    const { taskOfData, ActiveRun: Active, headOf, openCommitments } = await import('./lazy.ts');
    const base = plan.model === 'adapter' ? await deps.baseOf(plan.base) : undefined;
    const task = taskOfData(plan, await readText(shelf, data), base);
    const from = before === undefined || before.hash === '' ? undefined : await keptState(shelf, run);
    const start = plan.start && (await deps.startOf(plan.start));
    if (plan.start !== undefined && start === undefined && from === undefined && part.by === identity.peer)
      throw new PeerAiError('NOT_FOUND', `the model of "${plan.start.name}", from which this run goes on, is gone`);
    const seat = await sit({ run, plan, task, threads, from, start, signal: closing.signal }, part.stages);
    const { examples, heldOut } = task;
    const about = { dataId: data.id, data: { name: data.name, bytes: data.bytes, examples, heldOut } };
    const { privacy } = part;
    const budget = privacy && (await budgetOf(deps.store, data, privacy));
    const spent = privacy && budget && { privacy: { ...privacy, ...(await budget.state()) } };
    const head = {
      ...headOf(part, identity.peer, clock.nowMs()),
      ...spent,
      ...about,
      ...(await placeOf(deps, run, from)),
    };
    await book.save(head);
    const commitments = await openCommitments(deps, head.id);
    const active = new Active({ ...deps, self: identity.peer, network, shelf }, { seat, head, budget, commitments });
    const stop = new AbortController();
    const isNew = before === undefined && part.by === identity.peer;
    const ended = goOn(active, isNew, stop.signal);
    going = { active, stop, ended };
    deps.changed(head, true);
    await forgetOldest(book);
    return head;
  };
  const goOn = async (active: ActiveRun, isNew: boolean, stop: AbortSignal): Promise<void> => {
    try {
      await toEnd(active, isNew, stop);
    } catch (error) {
      deps.logger.error('training-unsaved', { code: whyOf(error).code });
    } finally {
      await active.leave();
      going = undefined;
    }
  };
  const toEnd = async (active: ActiveRun, isNew: boolean, stop: AbortSignal): Promise<void> => {
    try {
      await active.toEnd(isNew, AbortSignal.any([stop, closing.signal]));
    } catch (error) {
      if (closing.signal.aborted) return await active.save();
      if (stop.aborted) await active.end('stopped', {});
      else await active.end('failed', whyOf(error));
    }
    // A copy of the owner's data has no use any more.
    await book.removeData(active.head.dataId);
    await forgetOldest(book);
  };
  const current = (): RunHead | undefined => {
    const head = going?.active.head;
    return head === undefined || isEnded(head) ? undefined : head;
  };
  const freed = async (): Promise<void> => {
    if (going === undefined) return;
    const late = clock.sleep(limits.trainingEndMsMax).then(() => 'late' as const);
    if ((await Promise.race([going.ended, late])) === 'late') throw trainsAlready();
  };
  const begin = async (prepare: () => Promise<Part>): Promise<RunHead> => {
    if (current() !== undefined || isBusy) throw trainsAlready();
    if (closing.signal.aborted) throw new PeerAiError('ABORTED', 'this peer is stopping');
    isBusy = true;
    try {
      // Who reads that a run is over begins the next: what the last one computed with is freed meanwhile.
      await freed();
      return await take(await prepare());
    } finally {
      isBusy = false;
    }
  };
  return {
    current,
    begin,
    isPreparing: () => isBusy,
    async stop() {
      if (going === undefined) return undefined;
      const { active, stop, ended } = going;
      stop.abort(new PeerAiError('ABORTED', 'the owner left the run'));
      await Promise.race([ended, clock.sleep(limits.trainingEndMsMax)]);
      return active.head;
    },
    async resume(head) {
      try {
        await begin(() => partOf(deps.crypto, head));
      } catch (error) {
        if (closing.signal.aborted) return;
        const why = whyOf(error);
        deps.logger.warn('training-not-resumed', { code: why.code });
        await book.save({ ...head, state: 'failed', endedMs: clock.nowMs(), ...why });
      }
    },
    cutOff: (peer) => network.cutOff(peer),
    async close() {
      closing.abort(new PeerAiError('ABORTED', 'this peer is stopping'));
      await going?.ended;
      (await held.settled())?.[Symbol.dispose]();
    },
  };
}

/** A run that was under way when this peer ended. Throws what its terms and plan throw. */
async function partOf(crypto: CryptoProvider, head: RunHead): Promise<Part> {
  const { decodeRun } = await import('./lazy.ts');
  const run = decodeRun(crypto, fromHex(head.termsHex));
  const { by, dataId, threads, plan, privacy, stages } = head;
  return { run, plan: decodePlan(utf8(plan)), planText: plan, by, dataId, threads, privacy, stages, before: head };
}

/** Undefined where this peer ended before it had one on the disk. */
async function keptState(shelf: Shelf, run: Run): Promise<Uint8Array | undefined> {
  try {
    return await readWhole(shelf, places.state(toHex(run.hash)), 8 + run.size * 8);
  } catch (error) {
    if (PeerAiError.is(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Where the run stands, as the kept state says. */
async function placeOf({ crypto }: RunnerDeps, run: Run, state: Uint8Array | undefined) {
  if (state === undefined) return { hash: '', round: 0 };
  const { decodeState } = await import('./lazy.ts');
  return { hash: toHex(crypto.sha256(state)), round: decodeState(state, run.size).round };
}

const trainsAlready = (): PeerAiError =>
  new PeerAiError<PeerErrorCode>('RUN_ACTIVE', 'this peer trains already; it does one run at a time');

function whyOf(error: unknown): { readonly code: string; readonly message: string } {
  if (PeerAiError.is(error)) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: 'training failed here' };
}
