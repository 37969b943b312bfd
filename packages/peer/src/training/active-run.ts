import {
  type CryptoProvider,
  type Clock,
  fromHex,
  type Logger,
  PeerAiError,
  type PeerId,
  toHex,
} from '@peerai/core-protocol';
import { encodeTrainingRound, receiptsHash, trainingRoundKind } from '@peerai/ledger';
import type { PrivacyBudget } from '@peerai/nn-engine/privacy';
import { openReceipt, type RunEvent, type SharedState, type UpdatePrivacy } from '@peerai/nn-engine/rounds';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import type { CountedNetwork } from './counted-network.ts';
import type { Seat } from './engine.ts';
import type { Commitments } from './commitments.ts';
import { places, replaceFile, type RoundRow, type RunBook, type RunHead, type Statement } from './run-book.ts';
import type { HeldOut } from './training.schema.ts';

export interface ActiveDeps {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly shelf: Parameters<typeof replaceFile>[0];
  readonly network: CountedNetwork;
  readonly book: Pick<RunBook, 'save' | 'note' | 'unmasked' | 'noteUnmasked'>;
  /** Something about the run is other than before. */
  readonly changed: (head: RunHead, isWhole: boolean) => void;
  /** A round closed, or what was measured after it is known. */
  readonly closed: (id: string, row: RoundRow) => void;
  /** Of a visitor: the one peer it knows, whom it asks to be let in before each look. */
  readonly host?: { readonly peer: PeerId; readonly greet: (signal: AbortSignal) => Promise<unknown> };
}

export interface ActiveParts {
  readonly seat: Seat;
  readonly head: RunHead;
  /** Where the updates of `head.privacy` are booked. */
  readonly budget?: PrivacyBudget | undefined;
  /** Where its updates are committed to; absent where there is no log to say it. */
  readonly commitments?: Commitments;
}

/** Takes part in one run until its end and keeps what comes of it. */
export class ActiveRun {
  readonly #deps: ActiveDeps;
  readonly #seat: Seat;
  readonly #budget: PrivacyBudget | undefined;
  readonly #commitments: Commitments | undefined;
  readonly #serial = createMutex();
  readonly #rows = new Map<number, RoundRow>();
  readonly #statements = new Map<number, Statement>();
  readonly #measured = new Map<number, HeldOut>();
  readonly #counted: { readonly sent: number; readonly received: number };
  readonly #before: { readonly sent: number; readonly received: number };
  #savedHash: string;
  #dirty = false;
  head: RunHead;

  constructor(deps: ActiveDeps, about: ActiveParts) {
    this.#deps = deps;
    this.#seat = about.seat;
    this.#budget = about.budget;
    this.#commitments = about.commitments;
    this.head = about.head;
    this.#savedHash = about.head.hash;
    this.#before = { sent: about.head.sent, received: about.head.receivedBytes };
    this.#counted = { sent: deps.network.sent, received: deps.network.received };
  }

  /**
   * To the end of the run; who is not found is looked for again. Throws ABORTED, HASH_MISMATCH, REFUSED and what the graphs throw.
   *
   * @param isNew - nobody is in it yet.
   */
  async toEnd(isNew: boolean, signal: AbortSignal): Promise<void> {
    const { book } = this.#deps;
    const commitments = this.#commitments;
    const { id } = this.head;
    for (let looks = isNew ? limits.trainingLooksMax : 0; ; looks += 1) {
      const leads = this.head.role === 'started' && looks >= limits.trainingLooksMax;
      try {
        await this.#deps.host?.greet(signal);
        const state = await this.#seat.take({
          ask: leads ? [] : this.#others(),
          onEvent: (event) => this.#heard(event),
          onMeasured: (round, heldOut) => this.#noteMeasured(round, heldOut),
          onStages: (stages, message) =>
            this.#set({ stages, ...(message === undefined ? {} : { code: 'STAGE_LOST', message }) }, true),
          privacy: this.#privacy(),
          commit: commitments && ((receipt) => this.#commit(commitments, receipt)),
          unmasked: { known: await book.unmasked(id), note: (base) => book.noteUnmasked(id, base) },
          signal,
        });
        return await this.#finish(state, signal);
      } catch (error) {
        if (signal.aborted || !PeerAiError.is(error, 'PEER_UNREACHABLE')) throw error;
        const message = 'nobody who takes part is there now; it is tried again';
        this.#set({ state: 'waiting', code: error.code, message }, true);
        await this.#deps.clock.sleep(limits.trainingAgainMs, signal);
      }
    }
  }

  /** All that is known is on the disk when it resolves. */
  save(): Promise<void> {
    this.#dirty = true;
    return this.#serial(async () => {
      if (!this.#dirty) return;
      this.#dirty = false;
      const { shelf, book } = this.#deps;
      const { head } = this;
      const { id, hash } = head;
      const rows = [...this.#rows.values()];
      const rounds = rows.map((row) => ({ row, statement: this.#statements.get(row.round) }));
      const state = hash === this.#savedHash ? undefined : await this.#seat.state(fromHex(hash));
      // What led to a state is stated before the state is kept: who comes back with a state has stated all it took.
      await book.save(head, rounds);
      for (const { row, statement } of rounds)
        if (this.#statements.get(row.round) === statement) this.#statements.delete(row.round);
      if (state !== undefined) {
        await replaceFile(shelf, places.state(id), state);
        this.#savedHash = hash;
      }
      // The newest one waits for what is measured after it.
      for (const row of rows)
        if (this.#rows.get(row.round) === row && (row.after !== undefined || row.round + 1 < this.head.round))
          this.#rows.delete(row.round);
    });
  }

  /** Frees what computed for it. */
  async leave(): Promise<void> {
    await this.#seat[Symbol.asyncDispose]();
  }

  async end(state: 'stopped' | 'failed', why: { readonly code?: string; readonly message?: string }): Promise<void> {
    // Its rounds are there for who reads that it is over; a disk that refuses them must not hide that it is.
    await this.save().catch(() => undefined);
    this.#set({ state, endedMs: this.#deps.clock.nowMs(), ...why }, true);
    return this.save();
  }

  /** Whom to ask for the coordinator: who it was, who started the run, then everybody who was in it. */
  #others(): readonly PeerId[] {
    if (this.#deps.host !== undefined) return [this.#deps.host.peer];
    const { coordinator, by, members } = this.head;
    const known = [...(coordinator === undefined ? [] : [coordinator]), by, ...members];
    return [...new Set(known)].filter((peer) => peer !== this.#deps.self);
  }

  /** The noise of this run; what each update costs is shown at once. */
  #privacy(): UpdatePrivacy | undefined {
    const { privacy } = this.head;
    const budget = this.#budget;
    if (privacy === undefined || budget === undefined) return undefined;
    const { clip, noise } = privacy;
    const spend: PrivacyBudget['spend'] = async (steps) => {
      const state = await budget.spend(steps);
      this.#set({ privacy: { ...privacy, ...state } }, false);
      return state;
    };
    return { clip, noise, budget: { ...budget, spend } };
  }

  /** The log speaks of one round after the other: the next update waits until the result before it is said. */
  async #commit(commitments: Commitments, receipt: Uint8Array): Promise<Uint8Array> {
    await this.#serial(async () => undefined);
    if (this.#statements.size > 0) await this.save();
    return commitments.commit(receipt);
  }

  #heard(event: RunEvent): void {
    if (event.type === 'coordinator') this.#set({ coordinator: event.peer, ...cleared }, true);
    else if (event.type === 'opened') {
      const isEnough = event.members >= this.head.needed;
      this.#set({ state: isEnough ? 'training' : 'waiting', received: 0 }, false);
    } else if (event.type === 'received') {
      const isEnough = event.received >= event.needed;
      const training = isEnough ? { state: 'training' as const } : {};
      this.#set({ received: event.received, needed: event.needed, ...training }, false);
    } else if (event.type === 'refused') {
      this.#set({ code: 'REFUSED', message: `round ${event.round + 1}: ${event.reason}` }, true);
    } else if (event.type === 'closed') this.#closed(event);
  }

  #closed(event: Extract<RunEvent, { readonly type: 'closed' }>): void {
    const { crypto, clock, self } = this.#deps;
    const receipts = new Map(
      event.receipts.map((sealed) => {
        const { peer, loss } = openReceipt(crypto, sealed);
        return [peer, { loss, sealed }] as const;
      }),
    );
    const refused = event.refused.map(({ peer, reason }) => ({ peer: peer as PeerId, reason }));
    const before = this.#measured.get(event.round);
    const hash = toHex(event.hash);
    const row: RoundRow = {
      round: event.round,
      atMs: clock.nowMs(),
      loss: numberOrNull(event.loss),
      ...(before === undefined ? {} : { before }),
      members: event.peers.map((peer) => ({ peer, loss: numberOrNull(receipts.get(peer)?.loss ?? NaN) })),
      refused,
      hash,
      stated: true,
    };
    const sealed = receipts.get(self)?.sealed;
    const revealed = this.#commitments?.reveal(event.round, event.base, sealed);
    const { own, entries, alongside } = revealed ?? { own: sealed, entries: [], alongside: [] };
    const result = encodeTrainingRound({
      run: fromHex(this.head.id),
      round: event.round,
      before: event.base,
      after: event.hash,
      receipts: receiptsHash(crypto, event.receipts),
      counted: event.peers.length,
      refused: refused.length,
      own,
    });
    this.#rows.set(event.round, row);
    this.#statements.set(event.round, {
      entries: [...entries, { kind: trainingRoundKind, body: result }],
      alongside,
    });
    const members = [...new Set([...event.peers, ...refused.map(({ peer }) => peer), self])].toSorted();
    this.#set({ round: event.round + 1, members, hash, state: 'training', ...cleared }, false);
    this.#deps.closed(this.head.id, row);
    this.#saveSoon();
  }

  #noteMeasured(round: number, heldOut: HeldOut): void {
    this.#measured.set(round, heldOut);
    this.#measured.delete(round - 2);
    this.#set({ now: heldOut, ...(this.head.first === undefined ? { first: heldOut } : {}) }, false);
    const row = this.#rows.get(round - 1);
    if (row === undefined) return;
    const whole = { ...row, after: heldOut };
    this.#rows.set(round - 1, whole);
    this.#deps.closed(this.head.id, whole);
    this.#saveSoon();
  }

  async #finish({ round, weights }: SharedState, signal: AbortSignal): Promise<void> {
    const { shelf, crypto, clock } = this.#deps;
    const model = this.#seat.model(weights);
    const name = places.model(this.head.id);
    await replaceFile(shelf, name, model);
    this.#noteMeasured(round, await this.#seat.measure(weights, signal));
    const file = { sha256: toHex(crypto.sha256(model)), bytes: model.length };
    // Who reads that it is done reads its rounds from the disk: the last one's measure has to be there.
    await this.save();
    this.#set({ state: 'done', round, endedMs: clock.nowMs(), file, received: 0, ...cleared }, true);
    await this.save();
  }

  #set(change: HeadChange, isWhole: boolean): void {
    const { network, book, changed } = this.#deps;
    const { code, message, ...rest } = { ...this.head, ...change };
    this.head = {
      ...rest,
      ...(code === undefined ? {} : { code }),
      ...(message === undefined ? {} : { message }),
      sent: this.#before.sent + network.sent - this.#counted.sent,
      receivedBytes: this.#before.received + network.received - this.#counted.received,
    };
    book.note(this.head);
    changed(this.head, isWhole);
  }

  #saveSoon(): void {
    this.save().catch((error: unknown) =>
      this.#deps.logger.error('training-unsaved', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }),
    );
  }
}

type HeadChange = Partial<Omit<RunHead, 'code' | 'message'>> & {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
};

/** What it waited for is there. */
const cleared = { code: undefined, message: undefined };

/** What a member says may be anything. */
const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
