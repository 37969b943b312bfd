import { type Clock, type CryptoProvider, equalBytes, PeerAiError, type PeerId } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { maskedTotal } from '../../privacy/masked-sum/index.ts';
import { decodeUnmasking, openIncluded, openKeys } from '../../privacy/masked-sum/messages.ts';
import { type CheckedTerms, checkTerms } from '../../privacy/masked-sum/terms.ts';
import { createBoard } from '../board.ts';
import { openReceipt, type UpdateReceipt } from '../messages.ts';
import type { Run } from '../run-spec.ts';
import { type Change, meanOf } from './input.ts';
import type { SumName } from './member.ts';
import { decodeWords, maskedBytes, type SumAnswer, type SumAsk, type SumPart, sumSteps } from './messages.ts';
import { sumTermsOf } from './terms.ts';

/** What a coordinator has in the end: the mean of those who stayed, and who they are. */
export interface SumResult extends Change {
  readonly peers: readonly PeerId[];
  readonly receipts: readonly Uint8Array[];
}

export interface SumTableDeps {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** Who watches the run now, the coordinator included. */
  readonly present: () => readonly PeerId[];
  /** One more member has handed in its keys. */
  readonly onReceived: () => void;
}

type Step = Map<PeerId, readonly SumPart[]>;
const answer = (is: SumAnswer['is'], parts: readonly SumPart[] = []): SumAnswer => ({ is, parts });

/**
 * The coordinator's side of one masked sum: it passes on what the members seal for each other, and adds up what they mask.
 *
 * A step closes when all of the step before who are still there have handed in, or when its time is over and enough have; whoever is missing then has
 * dropped out.
 */
export class SumTable {
  readonly #deps: SumTableDeps;
  readonly #run: Run;
  readonly #name: SumName;
  readonly #terms: CheckedTerms;
  readonly #signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #board = createBoard(0);
  readonly #entered: readonly Step[] = sumSteps.map(() => new Map());
  readonly #masked = new Map<PeerId, Uint32Array>();
  /** The step that is open now. */
  #at = 0;

  constructor(deps: SumTableDeps, run: Run, name: SumName, signal: AbortSignal) {
    this.#deps = deps;
    this.#run = run;
    this.#name = name;
    this.#terms = checkTerms(deps.crypto, sumTermsOf(deps.crypto, run, name));
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
  }

  /** Somebody came or went. */
  nudge(): void {
    this.#board.set(this.#board.current + 1);
  }

  /** How many have handed in their keys. */
  get received(): number {
    return this.#step(0).size;
  }

  /**
   * A member's part of a step. @param fetch - brings the masked input that a receipt names.
   * Throws REFUSED, INVALID_FORMAT, INVALID_SIGNATURE, SHAPE_MISMATCH for what cannot be a part of it; what `fetch` throws.
   */
  async enter(
    peer: PeerId,
    { term, base, attempt, step: stepName, parts }: Omit<SumAsk, 'run'>,
    fetch: (receipt: UpdateReceipt) => Promise<Uint8Array>,
    signal: AbortSignal,
  ): Promise<SumAnswer> {
    const index = sumSteps.indexOf(stepName);
    const step = this.#step(index);
    const isSame = term === this.#name.term && attempt === this.#name.attempt && equalBytes(base, this.#name.base);
    if (!isSame || index > this.#at) return answer('late');
    if (index === this.#at && !step.has(peer)) {
      if (index > 0 && !this.#step(index - 1).has(peer)) return answer('late');
      const words = await this.#checked(peer, index, parts, fetch);
      if (this.#at !== index || this.#signal.aborted) return answer('late');
      if (words !== undefined) this.#masked.set(peer, words);
      step.set(peer, parts);
      this.nudge();
      if (index === 0) this.#deps.onReceived();
    }
    if (!step.has(peer)) return answer('late');
    const is = await this.#closes(index, signal);
    return answer(is, is === 'closed' ? this.#partsFor(peer, index) : []);
  }

  /**
   * Closes step after step. @param lookAround - called each time the first should have closed and too few are there.
   * Throws TOO_FEW_UPDATES when too many dropped out on the way; SHARES_WRONG; ABORTED.
   */
  async collect(lookAround: () => void): Promise<SumResult> {
    try {
      for (const [index] of sumSteps.entries()) await this.#fill(index, lookAround);
    } finally {
      // Whoever waits for a step is told that it is late.
      if (this.#at < sumSteps.length) this.#over.abort(new PeerAiError('ABORTED', 'This sum is over.'));
    }
    const [keys, shared, receipts, , unmaskings] = this.#entered;
    const bodies = (step: Step | undefined): readonly Uint8Array[] =>
      Array.from(step?.values() ?? [], ([part]) => part?.body ?? new Uint8Array());
    const total = await maskedTotal(this.#deps.crypto, this.#terms, {
      keys: bodies(keys),
      shared: [...(shared?.keys() ?? [])],
      masked: this.#masked,
      unmaskings: new Map(Array.from(unmaskings ?? [], ([peer, [part]]) => [peer, part?.body ?? new Uint8Array()])),
    });
    const peers = [...this.#masked.keys()].toSorted();
    return { ...meanOf(this.#run, total, peers.length), peers, receipts: bodies(receipts) };
  }

  /** What is wrong is refused here, so that one member's bytes do not end the sum of all. */
  async #checked(
    peer: PeerId,
    index: number,
    parts: readonly SumPart[],
    fetch: (receipt: UpdateReceipt) => Promise<Uint8Array>,
  ): Promise<Uint32Array | undefined> {
    const { crypto } = this.#deps;
    const [first = { peer: '', body: new Uint8Array() }] = parts;
    if (index === 1) {
      const others = [...this.#step(0).keys()].filter((other) => other !== peer);
      const named = new Set(parts.map((part) => part.peer));
      if (parts.length !== others.length || others.some((other) => !named.has(other)))
        throw refused('Shares come for each of the others, once.');
      return undefined;
    }
    if (parts.length !== 1 || first.peer !== peer) throw refused('A member hands in one part, its own.');
    if (index === 0 && !openKeys(crypto, this.#terms, [first.body]).has(peer)) throw refused('Keys of another member.');
    if (index === 3 && !openIncluded(crypto, this.#terms, this.#included(), [first.body]).has(peer))
      throw refused('A signature of another member.');
    if (index === 4) decodeUnmasking(this.#terms, first.body);
    if (index !== 2) return undefined;
    const receipt = openReceipt(crypto, first.body);
    const { run, term, base, updateBytes } = receipt;
    const fits = equalBytes(run, this.#run.hash) && equalBytes(base, this.#name.base) && term === this.#name.term;
    if (receipt.peer !== peer || !fits) throw refused('A receipt of another member, or of another sum.');
    if (updateBytes !== maskedBytes(this.#run.size))
      throw new PeerAiError<NnErrorCode>('SHAPE_MISMATCH', 'The masked input has another length than this run’s.', {
        expected: maskedBytes(this.#run.size),
        received: updateBytes,
      });
    return decodeWords(await fetch(receipt), this.#run.size);
  }

  #included(): readonly PeerId[] {
    return this.#terms.members.filter((peer) => this.#masked.has(peer));
  }

  #partsFor(peer: PeerId, index: number): readonly SumPart[] {
    const own = Array.from(this.#step(index), ([from, parts]) => ({ from, parts }));
    if (index === 1)
      return own.flatMap(({ from, parts }) =>
        parts.flatMap((part) => (part.peer === peer && from !== peer ? [{ peer: from, body: part.body }] : [])),
      );
    if (index === 2) return this.#included().map((included) => ({ peer: included, body: new Uint8Array() }));
    if (index === 4) return [];
    return own.flatMap(({ parts }) => parts);
  }

  /** Waits a while for the step to close. */
  async #closes(index: number, signal: AbortSignal): Promise<SumAnswer['is']> {
    const { clock } = this.#deps;
    const until = clock.elapsedMs() + limits.sumWaitMs;
    const both = AbortSignal.any([signal, this.#signal]);
    try {
      while (this.#at === index) {
        const leftMs = until - clock.elapsedMs();
        if (leftMs <= 0) return 'open';
        await this.#board.changed(clock, leftMs, both);
      }
      return 'closed';
    } catch (error) {
      if (this.#over.signal.aborted) return 'late';
      throw error;
    }
  }

  async #fill(index: number, lookAround: () => void): Promise<void> {
    const { clock, present } = this.#deps;
    const first = index === 0;
    let until = clock.elapsedMs() + (first ? this.#run.roundMs : limits.sumStepMs);
    let timeIsOver = false;
    for (;;) {
      const here = present();
      const expected = first ? here : here.filter((peer) => this.#step(index - 1).has(peer));
      const { size } = this.#step(index);
      const all = expected.every((peer) => this.#step(index).has(peer));
      if (size >= this.#terms.threshold && (all || timeIsOver)) {
        this.#at += 1;
        return this.nudge();
      }
      if (!first && (all || timeIsOver)) throw this.#tooFew(size);
      await this.#board.changed(clock, Math.max(1, until - clock.elapsedMs()), this.#signal);
      if (clock.elapsedMs() < until) continue;
      if (timeIsOver) lookAround();
      timeIsOver = true;
      until = clock.elapsedMs() + limits.coordinatorSilentMs;
    }
  }

  #step(index: number): Step {
    return this.#entered[index] ?? new Map();
  }

  #tooFew(passed: number): PeerAiError<NnErrorCode> {
    const { threshold } = this.#terms;
    return new PeerAiError<NnErrorCode>(
      'TOO_FEW_UPDATES',
      `${threshold} members must stay to the end of a sum; ${passed} did.`,
      { needed: threshold, passed },
    );
  }
}

/** Undefined when too many dropped out, or the shares did not fit: another try may go better. */
export async function sumOf(table: SumTable, lookAround: () => void): Promise<SumResult | undefined> {
  try {
    return await table.collect(lookAround);
  } catch (error) {
    if (PeerAiError.is(error, 'TOO_FEW_UPDATES', 'SHARES_WRONG')) return undefined;
    throw error;
  }
}

const refused = (text: string): PeerAiError<'REFUSED'> => new PeerAiError('REFUSED', text);
