import type { Tensor, Tensors } from '@peerai/core-protocol';

import type { BatchSizes } from '../../models/language-model.ts';
import { type ListenerSizes, questionFeatures } from '../listener.ts';
import { special } from '../tokenizer.ts';
import type { Question, Recital } from './samples.ts';

/**
 * Packs recitals into rows: each row holds several, one after the other, each in a segment of its own. One that does not fit into its row begins
 * the next; places learned beyond `learned` are dropped. Returns the feeds of `languageModelLoss`.
 */
export function recitalBatch(sizes: BatchSizes, draw: () => Recital): Tensors {
  const batch = new Batch(sizes);
  let waiting = draw();
  for (let row = 0; row < sizes.rows; row += 1) {
    let used = 0;
    for (let segment = 1; ; segment += 1) {
      // The last token is only ever a target.
      const length = waiting.tokens.length - 1;
      if (length > sizes.length)
        throw new RangeError(`a recital of ${length} tokens does not fit into ${sizes.length}`);
      if (used + length > sizes.length) break;
      batch.place(row * sizes.length + used, segment, waiting);
      used += length;
      waiting = draw();
    }
  }
  return batch.feeds();
}

/** The feeds of `listenerLoss`: `samples` questions as features, of which a share is hidden, so that no single word decides alone. */
export function questionBatch(
  { features }: ListenerSizes,
  samples: number,
  draw: () => Question,
  { featuresDropped }: { readonly featuresDropped: number },
  random: () => number,
): Tensors {
  const heard = new Float32Array(samples * features);
  const topics = new BigInt64Array(samples);
  for (let sample = 0; sample < samples; sample += 1) {
    const { text, topic } = draw();
    topics[sample] = BigInt(topic);
    questionFeatures(text, features).forEach((value, feature) => {
      if (value !== 0 && random() >= featuresDropped) heard[sample * features + feature] = value;
    });
  }
  return {
    heard: { type: 'float32', shape: [samples, features], data: heard },
    topics: { type: 'int64', shape: [samples], data: topics },
  };
}

class Batch {
  readonly #sizes: BatchSizes;
  readonly #tokens: BigInt64Array;
  readonly #segments: BigInt64Array;
  readonly #positions: number[] = [];
  readonly #targets: number[] = [];

  constructor(sizes: BatchSizes) {
    this.#sizes = sizes;
    this.#tokens = new BigInt64Array(sizes.rows * sizes.length).fill(BigInt(special.pad));
    this.#segments = new BigInt64Array(sizes.rows * sizes.length);
  }

  place(start: number, segment: number, { tokens, answerStart }: Recital): void {
    for (let index = 0; index + 1 < tokens.length; index += 1) {
      this.#tokens[start + index] = BigInt(tokens[index] ?? 0);
      this.#segments[start + index] = BigInt(segment);
      if (index + 1 < answerStart || this.#positions.length >= this.#sizes.learned) continue;
      this.#positions.push(start + index);
      this.#targets.push(tokens[index + 1] ?? 0);
    }
  }

  feeds(): Tensors {
    const { rows, length, learned } = this.#sizes;
    const integers = (values: readonly number[]): Tensor => {
      const data = new BigInt64Array(learned);
      values.forEach((value, index) => (data[index] = BigInt(value)));
      return { type: 'int64', shape: [learned], data };
    };
    return {
      tokens: { type: 'int64', shape: [rows, length], data: this.#tokens },
      segments: { type: 'int64', shape: [rows, length], data: this.#segments },
      positions: integers(this.#positions),
      targets: integers(this.#targets),
      weights: {
        type: 'float32',
        shape: [learned],
        data: new Float32Array(learned).fill(1, 0, this.#positions.length),
      },
    };
  }
}
