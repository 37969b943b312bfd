import type { Tensors } from '@peerai/core-protocol';
import {
  freshState,
  initialWeights,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
  seededUnit,
  type TrainingState,
} from '@peerai/nn-engine';

const sizes: LanguageModelSizes = { vocabulary: 64, width: 32, layers: 2, heads: 2, hidden: 48, context: 32 };
const [rows, length] = [4, 16];
const learned = rows * length;

export const smallModel = {
  layout: languageModelLayout(sizes),
  loss: languageModelLoss(sizes, { rows, length, learned }),
};

/** The same numbers each time, in a tab and here. */
export function smallStart(): TrainingState {
  return freshState(initialWeights(sizes, seededUnit(1)));
}

export function smallBatch(step: number): Tensors {
  const random = seededUnit(100 + step);
  const integers = (shape: readonly number[], one: (place: number) => number) =>
    ({
      type: 'int64',
      shape,
      data: BigInt64Array.from({ length: learned }, (_, place) => BigInt(one(place))),
    }) as const;
  const token = () => Math.floor(random() * sizes.vocabulary);
  return {
    tokens: integers([rows, length], token),
    segments: integers([rows, length], () => 0),
    positions: integers([learned], (place) => place),
    targets: integers([learned], token),
    weights: { type: 'float32', shape: [learned], data: new Float32Array(learned).fill(1) },
  };
}
