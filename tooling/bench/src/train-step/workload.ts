import type { Tensors } from '@peerai/core-protocol';
import {
  initialWeights,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
  seededUnit,
  trainingGraph,
} from '@peerai/nn-engine';

/** The 1 M language model: over bytes, 1,055,104 parameters. */
export const sizes: LanguageModelSizes = {
  vocabulary: 259,
  width: 128,
  layers: 5,
  heads: 4,
  hidden: 344,
  context: 256,
};
export const [rows, length] = [8, 128];
export const learningRate = 1e-3;

export interface Workload {
  readonly layout: ReturnType<typeof languageModelLayout>;
  readonly weights: Float32Array;
  /** [rows, length + 1]: each row's inputs and, one later, its targets. */
  readonly tokens: BigInt64Array;
  readonly graph: Uint8Array;
  readonly batch: Tensors;
}

/** The same batch each step, so that two sides that start alike stay alike. */
export function workload(): Workload {
  const random = seededUnit(7);
  const layout = languageModelLayout(sizes);
  const tokens = BigInt64Array.from({ length: rows * (length + 1) }, () =>
    BigInt(Math.floor(random() * sizes.vocabulary)),
  );
  const learned = rows * length;
  const part = (from: number): BigInt64Array =>
    BigInt64Array.from({ length: learned }, (_, place) => {
      const row = Math.floor(place / length);
      return tokens[row * (length + 1) + (place % length) + from] ?? 0n;
    });
  const integers = (data: BigInt64Array, shape: readonly number[]) => ({ type: 'int64', shape, data }) as const;
  return {
    layout,
    weights: initialWeights(sizes, seededUnit(1)),
    tokens,
    graph: trainingGraph({ layout, loss: languageModelLoss(sizes, { rows, length, learned }) }),
    batch: {
      tokens: integers(part(0), [rows, length]),
      segments: integers(new BigInt64Array(learned), [rows, length]),
      positions: integers(
        BigInt64Array.from({ length: learned }, (_, place) => BigInt(place)),
        [learned],
      ),
      targets: integers(part(1), [learned]),
      weights: { type: 'float32', shape: [learned], data: new Float32Array(learned).fill(1) },
    },
  };
}
