import {
  type Clock,
  type CryptoProvider,
  equalBytes,
  type Identity,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
  type Random,
  toHex,
} from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import { encodeTrainingRound, receiptsHash } from '@peerai/ledger';
import {
  checkRun,
  createBlobTable,
  createRuns,
  openReceipt,
  type Run,
  type RunEvent,
  type Runs,
} from '@peerai/nn-engine/rounds';
import type { LearningTask } from './deps.ts';
import { limits } from './limits.ts';

/** One session, as `get_p2p_network_stats` tells it. */
export interface SessionView {
  readonly session_id: string;
  readonly task: string;
  readonly state: 'running' | 'done' | 'failed';
  /** Rounds that were closed. */
  readonly rounds: number;
  /** Mean loss of the last round, nats; absent before the first. */
  readonly loss?: number;
  /** Why it failed. */
  readonly reason?: string;
}

export interface LearningDeps {
  readonly network: Network;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  readonly learning: ((task: string) => Promise<LearningTask | undefined>) | undefined;
  /** A round closed here: what this device states of it in its log. */
  readonly closed: (statement: Uint8Array) => Promise<void>;
  readonly stopping: AbortSignal;
}

type Closed = Extract<RunEvent, { readonly type: 'closed' }>;

interface Prepared extends LearningTask {
  readonly run: Run;
}

/** Runs of `@peerai/nn-engine/rounds` between devices: each learns with its own data, which stays where it is. */
export class Learning {
  readonly #deps: LearningDeps;
  readonly #runs: Runs;
  readonly #blobs;
  readonly #sessions = new Map<string, SessionView>();

  constructor(deps: LearningDeps) {
    this.#deps = deps;
    this.#blobs = createBlobTable(deps.crypto);
    const serving = serveBlobs(deps.network, this.#blobs);
    this.#runs = createRuns({ ...deps, blobs: this.#blobs });
    deps.stopping.addEventListener(
      'abort',
      () => {
        this.#runs[Symbol.dispose]();
        serving[Symbol.dispose]();
      },
      { once: true },
    );
  }

  /**
   * Leads a session. @param invite - asks one device, and throws why it does not come. @returns the session's id.
   * Throws UNSUPPORTED, RUN_ACTIVE, LIMIT_REACHED; PEER_UNREACHABLE when nobody came.
   */
  async lead(
    task: string,
    peers: readonly PeerId[],
    invite: (peer: PeerId, run: Uint8Array) => Promise<unknown>,
  ): Promise<string> {
    const prepared = await this.#prepare(task);
    const leaving = new AbortController();
    this.#take(task, prepared, [], AbortSignal.any([leaving.signal, this.#deps.stopping]));
    const answers = await Promise.allSettled(peers.map((peer) => invite(peer, prepared.run.hash)));
    if (answers.some(({ status }) => status === 'fulfilled')) return toHex(prepared.run.hash);
    leaving.abort(new PeerAiError('ABORTED', 'nobody came'));
    const [first] = answers;
    const cause = first?.status === 'rejected' ? (first.reason as unknown) : undefined;
    throw new PeerAiError('PEER_UNREACHABLE', 'none of these devices takes part', {}, { cause });
  }

  /** Joins a session that a device leads, when this one knows the task and means the same terms. Throws UNSUPPORTED, REFUSED, RUN_ACTIVE, LIMIT_REACHED. */
  async join(task: string, hash: Uint8Array, leader: PeerId): Promise<void> {
    const prepared = await this.#prepare(task);
    if (!equalBytes(prepared.run.hash, hash))
      throw new PeerAiError('REFUSED', 'this device has other terms for a task of that text');
    this.#take(task, prepared, [leader], this.#deps.stopping);
  }

  sessions(): readonly SessionView[] {
    return [...this.#sessions.values()];
  }

  async #prepare(task: string): Promise<Prepared> {
    const { learning, crypto } = this.#deps;
    const found = await learning?.(task);
    if (found === undefined)
      throw new PeerAiError(
        'UNSUPPORTED',
        learning === undefined ? 'this device was opened without learning tasks' : 'this device knows no such task',
      );
    return { ...found, run: checkRun(crypto, found.spec) };
  }

  #take(task: string, prepared: Prepared, ask: readonly PeerId[], signal: AbortSignal): void {
    const id = toHex(prepared.run.hash);
    // Looked at where the place is taken: two that prepare at the same time must not both find the last one.
    if (this.#sessions.get(id)?.state === 'running')
      throw new PeerAiError('RUN_ACTIVE', 'this device takes part in that session already');
    if (this.sessions().filter(({ state }) => state === 'running').length >= limits.sessionsMax)
      throw new PeerAiError('LIMIT_REACHED', `at most ${limits.sessionsMax} sessions at once`);
    const note = (news: Partial<SessionView>): void => {
      const before = this.#sessions.get(id) ?? { session_id: id, task, state: 'running', rounds: 0 };
      this.#sessions.set(id, { ...before, ...news });
      const over = this.sessions().filter(({ state }) => state !== 'running');
      for (const old of over.slice(0, Math.max(0, over.length - limits.sessionsToldMax)))
        this.#sessions.delete(old.session_id);
    };
    this.#sessions.delete(id);
    note({});
    void this.#drive(prepared, ask, signal, note);
  }

  #statement(run: Run, { round, base, hash, peers, refused, receipts }: Closed): Uint8Array {
    const { crypto, identity } = this.#deps;
    return encodeTrainingRound({
      run: run.hash,
      round,
      before: base,
      after: hash,
      receipts: receiptsHash(crypto, receipts),
      counted: peers.length,
      refused: refused.length,
      own: receipts.find((receipt) => openReceipt(crypto, receipt).peer === identity.peer),
    });
  }

  async #drive(
    { run, spec, from, learner, done }: Prepared,
    ask: readonly PeerId[],
    signal: AbortSignal,
    note: (news: Partial<SessionView>) => void,
  ): Promise<void> {
    const written: Promise<void>[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type !== 'closed') return;
      note({ rounds: event.round + 1, ...(Number.isFinite(event.loss) ? { loss: event.loss } : {}) });
      written.push(this.#deps.closed(this.#statement(run, event)));
    };
    try {
      const state = await this.#runs.takePart({ spec, from, ask, learner, signal, onEvent });
      await Promise.all(written);
      note({ state: 'done' });
      done?.(state);
    } catch (error) {
      await Promise.allSettled(written);
      const reason = PeerAiError.is(error) ? error.message : 'it broke';
      note({ state: 'failed', reason });
      if (!signal.aborted) this.#deps.logger.warn('learning-failed', { reason });
    }
  }
}
