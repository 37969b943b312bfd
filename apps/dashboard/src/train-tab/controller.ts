import type { TabEngine } from '@peerai/nn-engine/browser';
import type { TrainingRoundView, TrainingRunView, Visit } from '@peerai/peer/visitor';
import { limits } from './limits.ts';
import { isFinal } from './refusals.ts';
import type { Invitation, Session, TabLoader } from './session.ts';

export interface TabState {
  /**
   * `opening`, `asking`: on the way to `asked`, where the visitor decides; `training`; then `done`. `lost`: not reached, may be tried again;
   * `refused`: the link or the run is over; `left`: by the visitor.
   */
  readonly phase: 'opening' | 'asking' | 'asked' | 'training' | 'done' | 'lost' | 'refused' | 'left';
  readonly invitation?: Invitation;
  readonly visit?: Visit;
  readonly engineBytes?: number | undefined;
  /** What computing on the graphics card would add; absent where it cannot be offered. */
  readonly graphicsBytes?: number | undefined;
  /** On what it is computed, where the graphics card was wanted; that it could not everywhere stands. */
  readonly engine?: TabEngine | undefined;
  readonly run?: TrainingRunView;
  readonly rounds: readonly TrainingRoundView[];
  /** Share of the last seconds in which this tab computed, 0 to 1. */
  readonly busy: number;
  /** Why it is lost or refused, or why the last try to take part failed. */
  readonly problem?: Problem | undefined;
}
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface TabController {
  readonly state: TabState;
  subscribe(listener: () => void): () => void;
  /** Reads the link, and asks what it is about. Again after `lost`. */
  start(): Promise<void>;
  /**
   * @param own - data of the visitor's, which stays here; undefined for what is handed out.
   * @param graphics - on the graphics card.
   */
  train(own: { readonly name: string; readonly text: string } | undefined, graphics?: boolean): Promise<void>;
  /** How much of the processor's time may be used, above 0 to 1; also while it trains. */
  readonly share: number;
  setShare(share: number): void;
  /** Leaves the run, ends the links and frees what computed. */
  leave(): Promise<void>;
}

export interface ControllerDeps {
  readonly loader: TabLoader;
  /** What stands behind `#`. */
  readonly ticket: string;
  /** Fires TIMEOUT after `ms`, or earlier with the parent's reason. */
  readonly deadline: (ms: number, parent: AbortSignal) => AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Everything the page for training does, without a page. */
export function createController({ loader, ticket, deadline, sleep }: ControllerDeps): TabController {
  const end = new AbortController();
  const listeners = new Set<() => void>();
  let state: TabState = { phase: 'opening', rounds: [], busy: 0 };
  let session: Session | undefined;
  let share = 0.5;
  const change = (next: Partial<TabState>): void => {
    if (state.phase === 'left') return;
    state = { ...state, ...next };
    for (const listener of listeners) listener();
  };

  const watchBusy = async (of: Session, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(limits.busyEveryMs, signal).catch(() => undefined);
      if (!signal.aborted) change({ busy: of.busy() });
    }
  };
  const close = async (): Promise<void> => {
    const open = session;
    session = undefined;
    await open?.close().catch(() => undefined);
  };
  /** A link that is over needs no network any more. */
  const refuse = async (problem: Problem): Promise<void> => {
    change({ phase: 'refused', problem });
    await close();
  };

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      change({ phase: 'opening', problem: undefined });
      try {
        const invitation = state.invitation ?? (await loader.read(ticket));
        change({ invitation });
        session ??= await loader.open(ticket);
        if (end.signal.aborted) return await close();
        change({ phase: 'asking' });
        // Not waited for: a browser may take its time to look for a graphics card.
        void session
          .graphicsBytes(end.signal)
          .then((graphicsBytes) => change({ graphicsBytes }))
          .catch(() => undefined);
        const [visit, engineBytes] = await Promise.all([
          session.look(deadline(limits.lookMs, end.signal)),
          session.engineBytes(deadline(limits.lookMs, end.signal)).catch(() => undefined),
        ]);
        change({ phase: 'asked', visit, engineBytes });
      } catch (error) {
        const problem = problemOf(error);
        if (isFinal(problem.code)) await refuse(problem);
        else change({ phase: 'lost', problem });
      }
    },
    async train(own, graphics = false) {
      if (session === undefined || state.phase !== 'asked') return;
      const over = new AbortController();
      change({ phase: 'training', rounds: [], problem: undefined, engine: undefined });
      void watchBusy(session, AbortSignal.any([over.signal, end.signal]));
      try {
        const run = await session.train({
          own,
          graphics,
          onEngine: (engine) => change({ engine: state.engine?.on === 'wasm' ? state.engine : engine }),
          share: () => share,
          changed: (now) => change({ run: now }),
          closed: (round) =>
            change({ rounds: [...state.rounds.filter((one) => one.round !== round.round), round].toSorted(byRound) }),
          signal: end.signal,
        });
        change({ phase: 'done', run, busy: 0 });
        await close();
      } catch (error) {
        if (end.signal.aborted) return;
        const problem = problemOf(error);
        if (isFinal(problem.code)) await refuse(problem);
        else change({ phase: 'asked', problem, busy: 0 });
      } finally {
        over.abort();
      }
    },
    get share() {
      return share;
    },
    setShare(value) {
      share = value;
    },
    async leave() {
      change({ phase: 'left', busy: 0 });
      end.abort();
      await close();
    },
  };
}

const byRound = (a: TrainingRoundView, b: TrainingRoundView): number => a.round - b.round;

function problemOf(error: unknown): Problem {
  const code = (error as { readonly code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  return { code: typeof code === 'string' ? code : 'INTERNAL', message };
}
