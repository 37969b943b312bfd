import {
  type Clock,
  type CryptoProvider,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import { rest } from '../backoff.ts';
import type { DeliveryAnswer } from '../protocol.ts';
import type { DeliveryPath, OutRow } from '../rows.ts';
import { createTurns, type Turns } from '../turns.ts';
import type { DeliveryReport, Outbox, Outcome, Waiting } from './outbox.ts';
import { linkCodes, overLink, together } from './over-link.ts';
import { watchLinks } from './watch-links.ts';

/** Another way to a peer than a live link. */
export interface Carrier {
  readonly path: Exclude<DeliveryPath, 'link'>;
  /** `only`: no live link ever leads to this peer; `also`: tried when none does; undefined: this is no way to it. */
  reach(to: PeerId): 'only' | 'also' | undefined;
  /** One attempt. Throws what a later one may get past. */
  carry(to: PeerId, letter: OutRow, signal: AbortSignal): Promise<DeliveryAnswer>;
}

/** A place where a peer that is away looks for its letters. */
export interface Depot {
  /** True when letters for this peer can be left somewhere now. */
  reaches(to: PeerId): boolean;
  /** How long what was left stays there, milliseconds. */
  readonly keptMs: number;
  /** Leaves a sealed copy; the letter `before` it must be taken first. Throws what a later attempt may get past. */
  leave(to: PeerId, letter: OutRow, before: OutRow | undefined, signal: AbortSignal): Promise<void>;
}

export interface CourierDeps {
  readonly outbox: Outbox;
  /** Where copies wait for peers that are away. */
  readonly depot?: Depot;
  /** Tried in this order when no live link gets through. */
  readonly carriers?: readonly Carrier[];
  /** This peer said that it takes frames: several small letters go together, larger ones compressed. */
  readonly hasFrames?: (to: PeerId) => boolean;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly logger: Logger;
  /** Hears of each message that is through. */
  readonly onOutcome: (report: DeliveryReport) => void;
}
/** Carries letters to the peers they wait for: one attempt at a time per peer, in order, again and again until taken, refused or expired. */
export interface Courier {
  /** Something may wait for this peer. */
  wake(to: PeerId): void;
  /** Why the last attempt for this peer failed, while something waits. */
  lastFailure(to: PeerId): string | undefined;
  /** Resolves when no attempt runs any more, after the signal. */
  stopped(): Promise<void>;
}

interface Run {
  /** Set when something was added while the run was about to end. */
  isNews: boolean;
  /** Ends the wait between two attempts. */
  nudge: AbortController;
  failures: number;
  lastFailure?: string;
  /** True between two attempts: the peer is away. */
  isResting: boolean;
  done: Promise<void>;
}

export function createCourier(deps: CourierDeps, signal: AbortSignal): Courier {
  const runs = new Map<PeerId, Run>();
  const leaving = createTurns();
  const wake = (to: PeerId): void => {
    if (signal.aborted) return;
    const running = runs.get(to);
    if (running !== undefined) {
      running.isNews = true;
      if (running.isResting) void leaving.run(to, () => leaveAll(deps, to, signal));
      return;
    }
    const run: Run = {
      isNews: false,
      nudge: new AbortController(),
      failures: 0,
      isResting: false,
      done: Promise.resolve(),
    };
    runs.set(to, run);
    run.done = deliverAll(deps, to, run, leaving, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) deps.logger.error('message-delivery-stopped', { to, code: codeOf(error) });
      })
      .finally(() => {
        runs.delete(to);
        // It may have come after the run's last look.
        if (run.isNews) wake(to);
      });
  };
  // Letters of a peer that was away and has a link now need not wait for the next attempt.
  void watchLinks(deps, signal, (peer) => runs.get(peer)?.nudge.abort());
  return {
    wake,
    lastFailure: (to) => runs.get(to)?.lastFailure,
    stopped: async () => {
      await Promise.all([...runs.values()].map(({ done }) => done));
      await leaving.idle();
    },
  };
}

async function deliverAll(deps: CourierDeps, to: PeerId, run: Run, leaving: Turns, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    run.isNews = false;
    const isDone = await deliverNext(deps, to, run, signal);
    if (isDone && !run.isNews) return;
    if (run.failures === 0) continue;
    run.isResting = true;
    void leaving.run(to, () => leaveAll(deps, to, signal));
    run.nudge = new AbortController();
    await rest(deps, run.failures, { nudge: run.nudge.signal }, signal);
    run.isResting = false;
  }
}

/** Copies of what waits, in order, for a peer that did not answer: each once, and again when the place has forgotten it. */
async function leaveAll({ depot, outbox, clock, logger }: CourierDeps, to: PeerId, signal: AbortSignal): Promise<void> {
  try {
    if (depot === undefined || !depot.reaches(to)) return;
    const line = await outbox.line(to);
    for (const [place, letter] of line.entries()) {
      const isThere = letter.leftMs !== undefined && clock.nowMs() < letter.leftMs + depot.keptMs;
      if (isThere || clock.nowMs() > letter.expiresMs) continue;
      await depot.leave(to, letter, line[place - 1], signal);
      await outbox.left(to, letter);
    }
  } catch (error) {
    if (!signal.aborted) logger.debug('message-not-left', { to, code: codeOf(error) });
  }
}

/** One attempt for the oldest letter, and for those that go with it. True when none waits. */
async function deliverNext(deps: CourierDeps, to: PeerId, run: Run, signal: AbortSignal): Promise<boolean> {
  try {
    const letter = await deps.outbox.next(to);
    if (letter === undefined) return true;
    const { letters, outcomes, later } = await attempt(deps, to, letter, run, signal);
    for (const [place, outcome] of outcomes.entries()) {
      const brought = letters[place];
      const report = brought === undefined ? undefined : await deps.outbox.finish(to, brought, outcome);
      if (report !== undefined) deps.onOutcome(report);
    }
    run.failures = 0;
    delete run.lastFailure;
    if (later !== undefined) throw later;
  } catch (error) {
    if (signal.aborted) return true;
    run.failures += 1;
    run.lastFailure = codeOf(error);
    await expireOthers(deps, to, run.lastFailure).catch(() => undefined);
    deps.logger.debug('message-attempt-failed', { to, code: run.lastFailure, failures: run.failures });
  }
  return false;
}

/** Letters behind the one that does not get through may expire before it does. */
async function expireOthers({ outbox, onOutcome }: CourierDeps, to: PeerId, code: string): Promise<void> {
  for (const letter of await outbox.expired(to)) {
    const report = await outbox.finish(to, letter, { state: 'expired', code });
    if (report !== undefined) onOutcome(report);
  }
}

/** What was brought, and what became of the first of it; `later`: the others have to come again. */
interface Attempt {
  readonly letters: readonly Waiting[];
  readonly outcomes: readonly Outcome[];
  readonly later?: PeerAiError;
}

async function attempt(
  deps: CourierDeps,
  to: PeerId,
  letter: Waiting,
  run: Run,
  signal: AbortSignal,
): Promise<Attempt> {
  if (deps.clock.nowMs() > letter.expiresMs) {
    return { letters: [letter], outcomes: [{ state: 'expired', code: run.lastFailure ?? 'EXPIRED' }] };
  }
  const carriers = (deps.carriers ?? []).filter((carrier) => carrier.reach(to) !== undefined);
  let failure: unknown;
  if (!carriers.some((carrier) => carrier.reach(to) === 'only')) {
    try {
      const letters = await together(deps, to, letter);
      const { answers, ...rest } = await overLink(deps, to, letters, signal);
      return { letters, outcomes: answers.map((answer) => outcomeOf(answer, 'link')), ...rest };
    } catch (error) {
      if (!PeerAiError.is(error, ...linkCodes)) throw error;
      failure = error;
    }
  }
  for (const carrier of carriers) {
    signal.throwIfAborted();
    try {
      const answer = await carrier.carry(to, letter, signal);
      return { letters: [letter], outcomes: [outcomeOf(answer, carrier.path)] };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const outcomeOf = ({ outcome, code }: DeliveryAnswer, path: DeliveryPath): Outcome =>
  outcome === 'taken' ? { state: 'delivered', path } : { state: 'refused', code: code ?? 'REFUSED', path };

const codeOf = (error: unknown): string => (PeerAiError.is(error) ? error.code : 'INTERNAL');
