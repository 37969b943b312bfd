import type { Tensor, Tensors } from '@peerai/core-protocol';

import type { BatchSizes } from '../../models/language-model.ts';
import { signatureOf } from '../signature.ts';
import { special } from '../tokenizer.ts';
import type { Sample } from './samples.ts';

/**
 * Packs samples into rows: each row holds several, one after the other, each in a segment of its own. A sample that does not fit into its row waits
 * for the next; places learned beyond `learned` are dropped. Returns the feeds of `languageModelLoss`.
 */
export function createBatcher(sizes: BatchSizes, draw: () => Sample, features?: number): () => Tensors {
  return () => {
    const batch = new Batch(sizes, features);
    for (let row = 0; row < sizes.rows; row += 1) {
      let used = 0;
      for (let segment = 1; ; segment += 1) {
        const sample = draw();
        // The last token of a sample is only ever a target.
        const length = sample.tokens.length - 1;
        if (used + length > sizes.length || batch.full) break;
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
  readonly #features: number | undefined;
  readonly #signatures: Float32Array;
  readonly #signaturePlaces: number[] = [];

  constructor(sizes: BatchSizes, features: number | undefined) {
    this.#sizes = sizes;
    this.#features = features;
    this.#signatures = new Float32Array((sizes.samples ?? 0) * (features ?? 0));
    this.#tokens = new BigInt64Array(sizes.rows * sizes.length).fill(BigInt(special.pad));
    this.#segments = new BigInt64Array(sizes.rows * sizes.length);
  }

  /** True when there is no room for another signature. */
  get full(): boolean {
    return this.#features !== undefined && this.#signaturePlaces.length >= (this.#sizes.samples ?? 0);
  }

  place(start: number, segment: number, { tokens, weights, question }: Sample): void {
    if (this.#features !== undefined) {
      this.#signatures.set(signatureOf(question, this.#features), this.#signaturePlaces.length * this.#features);
      this.#signaturePlaces.push(start + tokens.indexOf(special.answer));
    }
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
    const { rows, length, learned, samples = 0 } = this.#sizes;
    const integers = (values: readonly number[], size = learned): Tensor => {
      const data = new BigInt64Array(size);
      values.forEach((value, index) => (data[index] = BigInt(value)));
      return { type: 'int64', shape: [size], data };
    };
    const signatures = {
      signatures: { type: 'float32', shape: [samples, this.#features ?? 0], data: this.#signatures },
      signaturePlaces: integers(this.#signaturePlaces, samples),
    } as const;
    const weights = new Float32Array(learned);
    weights.set(this.#weights);
    return {
      tokens: { type: 'int64', shape: [rows, length], data: this.#tokens },
      segments: { type: 'int64', shape: [rows, length], data: this.#segments },
      positions: integers(this.#positions),
      targets: integers(this.#targets),
      weights: { type: 'float32', shape: [learned], data: weights },
      ...(this.#features === undefined ? {} : signatures),
    };
  }
}
