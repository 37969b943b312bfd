import { sessionError } from './errors.ts';
import { sessionLimits } from './limits.ts';

/** Which sequence numbers of one direction have been here: the newest `windowFrames` one by one, everything older at once. */
export class SequenceWindow {
  /** A byte a number, at its rest by `windowFrames`: 1 when it was taken. */
  readonly #taken = new Uint8Array(sessionLimits.windowFrames).fill(1);
  #highest: number;
  #missing = 0;

  /** @param taken - as `taken()` gave it; without it everything up to `highest` counts as taken. */
  constructor(highest = 0, taken?: Uint8Array) {
    this.#highest = highest;
    if (taken?.length === this.#taken.length) this.#taken.set(taken);
  }

  get highest(): number {
    return this.#highest;
  }
  /** Numbers that were stepped over and have not come since. */
  get missing(): number {
    return this.#missing;
  }

  /** Throws SEQUENCE_ERROR with `expected` and `received` for a number that `take` would not take; changes nothing. */
  check(sequence: number): void {
    const expected = this.#highest + 1;
    const ahead = sequence - expected;
    const fits = ahead >= 0 ? ahead <= sessionLimits.gapMax : this.#isOpen(sequence);
    if (fits) return;
    const text = ahead > 0 ? 'too many frames are missing before this one' : 'this frame has been here, or is too old';
    throw sessionError('SEQUENCE_ERROR', text, { expected, received: sequence });
  }

  /** Takes a number once; returns how many are newly missing before it. Throws SEQUENCE_ERROR. */
  take(sequence: number): number {
    this.check(sequence);
    const gap = Math.max(0, sequence - this.#highest - 1);
    for (let missing = this.#highest + 1; missing < sequence; missing += 1)
      this.#taken[missing % this.#taken.length] = 0;
    this.#taken[sequence % this.#taken.length] = 1;
    this.#missing += sequence > this.#highest ? gap : -1;
    this.#highest = Math.max(this.#highest, sequence);
    return gap;
  }

  taken(): Uint8Array {
    return this.#taken.slice();
  }

  #isOpen(sequence: number): boolean {
    return this.#highest - sequence < this.#taken.length && this.#taken[sequence % this.#taken.length] === 0;
  }
}
