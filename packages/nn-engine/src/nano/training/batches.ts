import type { Tensor, Tensors } from '@peerai/core-protocol';

import type { BatchSizes } from '../../models/language-model.ts';
import { special } from '../tokenizer.ts';
import type { Sample } from './samples.ts';

/**
 * Packs samples into rows: each row holds several, one after the other, each in a segment of its own. A sample that does not fit into its row waits
 * for the next; places learned beyond `learned` are dropped. Returns the feeds of `languageModelLoss`.
 */
export function createBatcher(sizes: BatchSizes, draw: () => Sample): () => Tensors {
  return () => {
    const batch = new Batch(sizes);
    for (let row = 0; row < sizes.rows; row += 1) {
      let used = 0;
      for (let segment = 1; ; segment += 1) {
        const sample = draw();
        // The last token of a sample is only ever a target.
        const length = sample.tokens.length - 1;
        if (used + length > sizes.length) break;
        batch.place(row * sizes.length + used, segment, sample);
        used += length;
      }
    }
    return batch.feeds();
  };
}

class Batch {
  readonly #sizes: BatchSizes;
  readonly #tokens: BigInt64Array;
  readonly #segments: BigInt64Array;
  readonly #positions: number[] = [];
  readonly #targets: number[] = [];
  readonly #weights: number[] = [];

  constructor(sizes: BatchSizes) {
    this.#sizes = sizes;
    this.#tokens = new BigInt64Array(sizes.rows * sizes.length).fill(BigInt(special.pad));
    this.#segments = new BigInt64Array(sizes.rows * sizes.length);
  }

  place(start: number, segment: number, { tokens, weights }: Sample): void {
    for (let index = 0; index + 1 < tokens.length; index += 1) {
      this.#tokens[start + index] = BigInt(tokens[index] ?? 0);
      this.#segments[start + index] = BigInt(segment);
      const weight = weights[index + 1] ?? 0;
      if (weight === 0 || this.#positions.length >= this.#sizes.learned) continue;
      this.#positions.push(start + index);
      this.#targets.push(tokens[index + 1] ?? 0);
      this.#weights.push(weight);
    }
  }

  feeds(): Tensors {
    const { rows, length, learned } = this.#sizes;
    const integers = (values: readonly number[]): Tensor => {
      const data = new BigInt64Array(learned);
      values.forEach((value, index) => (data[index] = BigInt(value)));
      return { type: 'int64', shape: [learned], data };
    };
    const weights = new Float32Array(learned);
    weights.set(this.#weights);
    return {
      tokens: { type: 'int64', shape: [rows, length], data: this.#tokens },
      segments: { type: 'int64', shape: [rows, length], data: this.#segments },
      positions: integers(this.#positions),
      targets: integers(this.#targets),
      weights: { type: 'float32', shape: [learned], data: weights },
    };
  }
}
