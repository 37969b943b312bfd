import type { CryptoProvider } from '../ports/index.ts';
import { bytes, type FieldTypes, message, uint32, uint53 } from '../wire/index.ts';
import { type Chain, chainFrom, erase } from './chain.ts';
import { sessionError } from './errors.ts';
import { sessionLimits } from './limits.ts';

const fields = {
  epoch: uint32(1),
  key: bytes(2),
  next: bytes(3),
  ceiling: uint53(4),
  frames: uint53(5),
  startedMs: uint53(6),
};
export const sendingForm = message(fields);
export interface RekeyRule {
  readonly frames: number;
  readonly ms: number;
}

/** One direction's numbers and keys, outgoing. A number is given once in the life of a key, crashes included. */
export class Sending {
  readonly #crypto: CryptoProvider;
  readonly #rekey: RekeyRule;
  #chain: Chain;
  #last: number;
  /** The disk knows that numbers up to here may be used up. */
  #ceiling: number;
  #frames: number;
  #startedMs: number;

  constructor(crypto: CryptoProvider, rekey: RekeyRule, kept: FieldTypes<typeof fields>) {
    this.#crypto = crypto;
    this.#rekey = rekey;
    this.#chain = { epoch: kept.epoch, key: kept.key, next: kept.next };
    [this.#last, this.#ceiling] = [kept.ceiling, kept.ceiling];
    [this.#frames, this.#startedMs] = [kept.frames, kept.startedMs];
  }

  /** The next number and its key; `persist`: not to be sent before a new snapshot is on disk. */
  take(nowMs: number): { readonly sequence: number; readonly chain: Chain; readonly persist: boolean } {
    const rekeyed = this.#frames >= this.#rekey.frames || nowMs - this.#startedMs >= this.#rekey.ms;
    if (rekeyed) this.#turn(nowMs);
    this.#last += 1;
    this.#frames += 1;
    const beyond = this.#last > this.#ceiling;
    if (beyond) this.#ceiling = this.#last + sessionLimits.sendBlock - 1;
    return { sequence: this.#last, chain: this.#chain, persist: rekeyed || beyond };
  }

  /** The next number is to be this one, because the other side refuses those before it. Throws SEQUENCE_ERROR. */
  skipTo(sequence: number): void {
    const received = this.#last + 1;
    if (!Number.isSafeInteger(sequence) || sequence < received || sequence - received > sessionLimits.gapMax) {
      throw sessionError('SEQUENCE_ERROR', 'a sender skips ahead by a gap at most', { expected: sequence, received });
    }
    this.#last = sequence - 1;
  }

  /** `exact`: nothing is promised any more. */
  keep(exact: boolean): Uint8Array {
    const ceiling = exact ? this.#last : Math.max(this.#last, this.#ceiling);
    const frames = this.#frames + ceiling - this.#last;
    return sendingForm.encode({ ...this.#chain, ceiling, frames, startedMs: this.#startedMs });
  }

  erase(): void {
    erase(this.#chain.key, this.#chain.next);
  }

  #turn(nowMs: number): void {
    const old = this.#chain;
    this.#chain = chainFrom(this.#crypto, old.next, old.epoch + 1);
    erase(old.key, old.next);
    [this.#frames, this.#startedMs] = [0, nowMs];
  }
}
