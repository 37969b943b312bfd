import { equalBytes, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { fetchBlob } from '@peerai/core-protocol/blob';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Aggregate, aggregate } from './aggregate.ts';
import { type Board, createBoard } from './board.ts';
import { adopt, learnChange, learnLocally, meanLoss, named } from './local.ts';
import { type CommitAsk, type News, openReceipt, type UpdateReceipt } from './messages.ts';
import { outerStep } from './outer.ts';
import { carriedOver, checkUpdateBytes, meanPacking, updatePacking } from './packing.ts';
import type { Participant, RunDeps } from './participant.ts';
import { inputOf } from './private/input.ts';
import { brokenSum, type Exchange, type SumName, takeSum } from './private/member.ts';
import type { SumAnswer, SumAsk } from './private/messages.ts';
import { SumTable, sumOf } from './private/table.ts';
import type { Outcome, Round } from './round.ts';
import { robustRule, updatesNeeded } from './run-spec.ts';
import { Seal, updateCommitment } from './seal.ts';

/** Why a coordinator stopped: the last round closed, or a peer came that knows a later term. */
export type LeadOutcome = { readonly type: 'done' } | { readonly type: 'deposed'; readonly by: PeerId };

/** The coordinator's side of a run: it answers whoever watches, collects updates and closes rounds. */
export class RunLeader {
  readonly #deps: RunDeps;
  readonly #part: Participant;
  readonly #board: Board<News>;
  readonly #watchers = new Map<PeerId, number>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #round: Round;
  #deposedBy: PeerId | undefined;

  constructor(deps: RunDeps, part: Participant, signal: AbortSignal) {
    this.#deps = deps;
    this.#part = part;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#round = this.#freshRound();
    this.#board = createBoard(this.#news());
  }

  /** For `watch`: where the run stands, at each change. Throws LIMIT_REACHED with more watchers than a round has updates; REFUSED to the uninvited. */
  async *watch(peer: PeerId, signal: AbortSignal): AsyncGenerator<News, void, undefined> {
    if (this.#part.run.private?.members.includes(peer) === false)
      throw new PeerAiError('REFUSED', 'This run is private, and this peer is not invited.');
    if (this.#members().length >= limits.roundUpdatesMax && !this.#watchers.has(peer))
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `A round has ${limits.roundUpdatesMax} members at most.`);
    const both = AbortSignal.any([signal, this.#signal]);
    this.#watchers.set(peer, (this.#watchers.get(peer) ?? 0) + 1);
    this.#say();
    try {
      for (;;) {
        const told = this.#board.current;
        yield told;
        if (told.open === undefined) return;
        if (this.#board.current === told) await this.#board.changed(this.#deps.clock, limits.coordinatorSignMs, both);
      }
    } finally {
      const left = (this.#watchers.get(peer) ?? 1) - 1;
      if (left > 0) this.#watchers.set(peer, left);
      else this.#watchers.delete(peer);
      this.#say();
    }
  }

  /** Another peer leads a later term. */
  depose(by: PeerId): void {
    this.#deposedBy = by;
    this.#stop.abort(new PeerAiError('ABORTED', 'Another peer coordinates this run now.'));
  }

  /** For `submit`: true when it came too late to count. Throws REFUSED, SHAPE_MISMATCH, INVALID_FORMAT and what fetching the update throws. */
  async submit(
    peer: PeerId,
    { receipt: sealed, salt }: { readonly receipt: Uint8Array; readonly salt?: Uint8Array | undefined },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { run } = this.#part;
    if (run.private !== undefined)
      throw new PeerAiError('REFUSED', 'This run is private: an update comes masked, or not at all.');
    const receipt = openReceipt(this.#deps.crypto, sealed);
    if (receipt.peer !== peer) throw new PeerAiError('REFUSED', 'An update comes from whoever signed it.');
    const round = this.#round;
    const isLate = (): boolean => round !== this.#round || !this.#isOfThisRound(receipt);
    if (isLate()) return true;
    if (round.updates.has(peer)) return false;
    if (round.seal !== undefined && !this.#isAdmitted(round.seal, peer, salt, sealed)) return true;
    const packing = updatePacking(run);
    checkUpdateBytes(packing, receipt.updateBytes);
    const until = AbortSignal.any([signal, round.closing.signal, this.#signal]);
    const packed = await fetchBlob(this.#deps, peer, receipt.update, { signal: until, bytesMax: receipt.updateBytes });
    const delta = packing.unpack(packed);
    if (isLate()) return true;
    round.updates.set(peer, { receipt: sealed, salt, loss: receipt.loss, delta });
    this.#say();
    return false;
  }

  /** For `commit`: true when it came too late to count. Throws REFUSED in a run that is not sealed, INVALID_FORMAT. */
  commit(peer: PeerId, { term, base, attempt, commitment }: Omit<CommitAsk, 'run'>): boolean {
    const { held } = this.#part;
    const { seal } = this.#round;
    if (seal === undefined) throw new PeerAiError('REFUSED', 'This run is not sealed: an update comes as it is.');
    if (term !== held.term || attempt !== seal.attempt || !equalBytes(base, held.hash)) return true;
    const isLate = seal.commit(peer, commitment);
    this.#say();
    return isLate;
  }

  /** Whoever hands in another update than it committed to is named at once, so that nobody waits for it. */
  #isAdmitted(seal: Seal, peer: PeerId, salt: Uint8Array | undefined, receipt: Uint8Array): boolean {
    try {
      return seal.admits(peer, salt, receipt);
    } finally {
      this.#say();
    }
  }

  /** For `sum`: one step of a private round. Throws REFUSED in an open run, and what `SumTable.enter` throws. */
  async sum(peer: PeerId, ask: Omit<SumAsk, 'run'>, signal: AbortSignal): Promise<SumAnswer> {
    if (this.#part.run.private === undefined)
      throw new PeerAiError('REFUSED', 'This run is open: its updates are compared, so none comes masked.');
    const { sum, closing } = this.#round;
    if (sum === undefined) return { is: 'late', parts: [] };
    const until = AbortSignal.any([signal, this.#signal]);
    return await sum.table.enter(
      peer,
      ask,
      ({ update, updateBytes }) =>
        fetchBlob(this.#deps, peer, update, {
          signal: AbortSignal.any([until, closing.signal]),
          bytesMax: updateBytes,
        }),
      until,
    );
  }

  /**
   * Closes round after round. @param lookAround - called now and then while a round should have closed, or could not with those who are here.
   * Throws ABORTED, and what this peer's own learner throws; TOO_FEW_UPDATES when a private round cannot be summed.
   */
  async lead(lookAround: () => void): Promise<LeadOutcome> {
    const { run, held, onEvent } = this.#part;
    try {
      while (held.state.round < run.rounds) {
        onEvent({ type: 'opened', round: held.state.round, members: this.#members().length });
        if (run.private === undefined) await this.#closeRound(lookAround);
        else await this.#closePrivateRound(lookAround);
      }
      return { type: 'done' };
    } catch (error) {
      if (this.#deposedBy !== undefined) return { type: 'deposed', by: this.#deposedBy };
      throw error;
    } finally {
      this.#round.closing.abort();
      this.#stop.abort(new PeerAiError('ABORTED', 'This peer coordinates the run no more.'));
    }
  }

  /** Own steps beside the others', then whatever came in time. */
  async #closeRound(lookAround: () => void): Promise<void> {
    const { clock } = this.#deps;
    const { run } = this.#part;
    const round = this.#round;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    this.#learn(round).catch((error: unknown) => failed.reject(error));
    let overMs = clock.elapsedMs() + run.roundMs;
    let lookMs = clock.elapsedMs() + limits.coordinatorSilentMs;
    for (;;) {
      let timeIsOver = clock.elapsedMs() >= overMs;
      if (this.#opens(round, timeIsOver)) {
        overMs = clock.elapsedMs() + run.roundMs;
        timeIsOver = false;
      }
      if (this.#mayClose(timeIsOver) && this.#closes(round)) return;
      if (this.#isStuck(round, timeIsOver)) return this.#again(round);
      const waitMs = Math.max(1, (timeIsOver ? lookMs : Math.min(overMs, lookMs)) - clock.elapsedMs());
      await Promise.race([failed.promise, this.#board.changed(clock, waitMs, this.#signal)]);
      if (clock.elapsedMs() < lookMs) continue;
      lookMs = clock.elapsedMs() + limits.coordinatorSilentMs;
      if (timeIsOver || this.#members().length < updatesNeeded(run)) lookAround();
    }
  }

  /** Own steps beside the others', then their masked sum; when too many drop out on the way, another one. */
  async #closePrivateRound(lookAround: () => void): Promise<void> {
    const { run, held } = this.#part;
    const round = this.#round;
    const until = AbortSignal.any([this.#signal, round.closing.signal]);
    const failed = Promise.withResolvers<never>();
    const learned = learnChange(this.#deps, this.#part, until).then((change) => inputOf(run, change));
    failed.promise.catch(() => undefined);
    learned.catch((error: unknown) => failed.reject(error));
    for (let attempt = 1; attempt <= limits.sumTriesMax; attempt += 1) {
      if (held.unmasked.has(toHex(held.hash))) throw brokenSum();
      const name = { term: held.term, base: held.hash, attempt };
      const hears = { present: () => this.#members(), onReceived: () => this.#say() };
      const table = new SumTable({ ...this.#deps, ...hears }, run, name, until);
      round.sum = { attempt, table };
      this.#say();
      // Its own part may fail as anybody's; the sum then goes on without it, or not at all.
      learned
        .then((input) => takeSum(this.#deps, this.#part, name, input, this.#ownExchange(table, name, until)))
        .catch(() => undefined);
      const result = await Promise.race([failed.promise, sumOf(table, lookAround)]);
      if (result === undefined) continue;
      this.#closeWith(round, { ...result, refused: [] });
      return;
    }
    throw new PeerAiError<NnErrorCode>(
      'TOO_FEW_UPDATES',
      `The sum of this round failed ${limits.sumTriesMax} times: one of its members breaks it.`,
    );
  }

  /** The coordinator's own part in the sum it makes. */
  #ownExchange(table: SumTable, name: SumName, signal: AbortSignal): Exchange {
    const { blobs, identity } = this.#deps;
    return async (step, parts) => {
      for (;;) {
        const own = async ({ update, updateBytes }: { readonly update: Uint8Array; readonly updateBytes: number }) =>
          await blobs.read(update, 0, updateBytes);
        const answer = await table.enter(identity.peer, { ...name, step, parts }, own, signal);
        if (answer.is === 'late') return undefined;
        if (answer.is === 'closed') return answer.parts;
      }
    };
  }

  async #learn(round: Round): Promise<void> {
    const { run } = this.#part;
    const own = await learnLocally(this.#deps, this.#part, AbortSignal.any([this.#signal, round.closing.signal]));
    if (round !== this.#round) return;
    const { peer } = this.#deps.identity;
    const { receipt, salt, loss } = own;
    const update = { receipt, salt, loss, delta: updatePacking(run).unpack(own.packed), own };
    if (round.seal === undefined) round.updates.set(peer, update);
    else if (salt !== undefined && !round.seal.commit(peer, updateCommitment(this.#deps.crypto, salt, receipt)))
      round.own = update;
    this.#say();
  }

  /** A sealed round opens when all who watch have committed, or time is over and enough have. True when it does now. */
  #opens({ seal, own, updates }: Round, timeIsOver: boolean): boolean {
    if (seal === undefined || seal.opened !== undefined || !this.#isEnough(seal.size, timeIsOver)) return false;
    seal.open();
    if (own !== undefined) updates.set(this.#deps.identity.peer, own);
    this.#say();
    return true;
  }

  /** Of a sealed round that was opened: those who committed left, or were refused, and others are there. */
  #isStuck({ seal, updates }: Round, timeIsOver: boolean): boolean {
    return seal?.isStuck(updates, this.#members(), updatesNeeded(this.#part.run), timeIsOver) === true;
  }

  /** Another try of the round: everybody learns and commits again, but for who broke its word. */
  #again(round: Round): void {
    round.closing.abort();
    this.#round = this.#freshRound(round.seal);
    this.#say();
  }

  #freshRound(before?: Seal): Round {
    const seal = this.#part.run.sealed === true ? new Seal(this.#deps.crypto, before) : undefined;
    return { updates: new Map(), closing: new AbortController(), seal };
  }

  /** All who watch have sent; or time is over and those who did are more than half of them. Always enough for the rule. */
  #mayClose(timeIsOver: boolean): boolean {
    const { seal, updates } = this.#round;
    if (seal === undefined) return this.#isEnough(updates.size, timeIsOver);
    return updates.size >= updatesNeeded(this.#part.run) && seal.isComplete(updates, this.#members(), timeIsOver);
  }

  #isEnough(count: number, timeIsOver: boolean): boolean {
    const members = this.#members().length;
    if (count < updatesNeeded(this.#part.run)) return false;
    return count >= members || (timeIsOver && count * 2 > members);
  }

  /** False when too many updates failed the gates: the round waits for others. */
  #closes(round: Round): boolean {
    const { run } = this.#part;
    const updates = Array.from(round.updates, ([peer, { delta }]) => ({ peer, delta }));
    let result: Aggregate;
    try {
      result = aggregate(updates, run.size, robustRule(run));
    } catch (error) {
      if (PeerAiError.is(error, 'TOO_FEW_UPDATES')) return false;
      throw error;
    }
    const received = [...round.updates.values()];
    this.#closeWith(round, {
      delta: result.delta,
      loss: meanLoss(received),
      peers: result.peers as readonly PeerId[],
      receipts: received.map(({ receipt }) => receipt),
      salts: received.flatMap(({ salt }) => salt ?? []),
      refused: [...result.refused, ...(round.seal?.refused() ?? [])],
    });
    return true;
  }

  /** The step to the next state, and the news of it. */
  #closeWith(round: Round, { delta, loss, peers, receipts, salts = [], refused }: Outcome): void {
    const { blobs, crypto } = this.#deps;
    const { run, held, onEvent } = this.#part;
    const packing = meanPacking(run);
    const { bytes } = packing.pack(delta);
    const mean = packing.unpack(bytes);
    const next = named(crypto, outerStep(held.state, mean, run.outer));
    const { own } = round.updates.get(this.#deps.identity.peer) ?? {};
    if (own !== undefined) held.residual = carriedOver(run, own, mean);
    if (held.closed !== undefined) blobs.delete(held.closed.delta);
    held.closed = {
      round: held.state.round,
      base: held.hash,
      delta: blobs.put(bytes),
      deltaBytes: bytes.length,
      next: next.hash,
      receipts,
      refused,
      loss: run.private === undefined ? undefined : loss,
      commitments: round.seal?.commitments ?? [],
      salts: round.seal === undefined ? [] : salts,
      attempt: round.seal?.attempt,
    };
    adopt(this.#deps, this.#part, next);
    round.closing.abort();
    this.#round = this.#freshRound();
    this.#board.set(this.#news());
    onEvent({
      type: 'closed',
      round: held.closed.round,
      base: held.closed.base,
      hash: held.closed.next,
      loss,
      peers,
      refused,
      receipts,
    });
  }

  #isOfThisRound({ term, round, run, base }: UpdateReceipt): boolean {
    const { held, run: ours } = this.#part;
    const { open } = this.#board.current;
    return (
      open !== undefined &&
      term === held.term &&
      round === held.state.round &&
      equalBytes(run, ours.hash) &&
      equalBytes(base, held.hash)
    );
  }

  #members(): readonly PeerId[] {
    return [...new Set([this.#deps.identity.peer, ...this.#watchers.keys()])].toSorted();
  }

  #say(): void {
    const { onEvent } = this.#part;
    this.#round.sum?.table.nudge();
    const news = this.#news();
    this.#board.set(news);
    if (news.open === undefined) return;
    onEvent({ type: 'received', round: news.open.round, received: news.open.received, needed: news.open.needed });
  }

  /** Where the run stands now; no open round when the last one closed. */
  #news(): News {
    const { run, held } = this.#part;
    const { round } = held.state;
    const present = this.#members();
    // Whoever was here once may be behind a cut line: it is asked when the coordinator changes. Those who are here come first.
    const known = [...present, ...held.members.filter((peer) => !present.includes(peer))];
    held.members = known.slice(0, limits.roundUpdatesMax).toSorted();
    const { seal, sum, updates } = this.#round;
    const open = {
      round,
      base: held.hash,
      members: held.members,
      present: present.length,
      received: sum?.table.received ?? (seal === undefined || seal.opened !== undefined ? updates.size : seal.size),
      needed: updatesNeeded(run),
      attempt: sum?.attempt ?? seal?.attempt,
      opened: seal?.opened,
    };
    return { term: held.term, open: round < run.rounds ? open : undefined, closed: held.closed };
  }
}
