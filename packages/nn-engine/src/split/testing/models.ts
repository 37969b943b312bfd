import type { Runtime, Tensor, Tensors } from '@peerai/core-protocol';

import { seededUnit } from '../../train/random.ts';
import type { SplitModel } from '../layered.ts';
import type { PlacedStage } from '../pipeline.ts';
import { splitModel, stageWeights } from '../plan.ts';
import { openStage, type StageMode } from '../stage.ts';

export const languageModel = {
  type: 'language-model',
  sizes: { vocabulary: 40, width: 16, layers: 4, heads: 2, hidden: 24, context: 16 },
  batch: { rows: 2, length: 12, learned: 9 },
} as const satisfies SplitModel;

/** A batch that the seed alone decides. */
export function batchOf(model: SplitModel, seed: number): Tensors {
  const random = seededUnit(seed + 1);
  const integers = (shape: readonly number[], below: number): Tensor => ({
    type: 'int64',
    shape,
    data: BigInt64Array.from({ length: shape.reduce((total, size) => total * size, 1) }, () =>
      BigInt(Math.floor(random() * below)),
    ),
  });
  const numbers = (shape: readonly number[]): Tensor => ({
    type: 'float32',
    shape,
    data: Float32Array.from({ length: shape.reduce((total, size) => total * size, 1) }, () => random() * 2 - 1),
  });
  if (model.type === 'mlp')
    return {
      features: numbers([model.rows, model.widths[0] ?? 0]),
      labels: integers([model.rows], model.widths.at(-1) ?? 1),
    };
  const { sizes, batch } = model;
  const { rows, length, learned } = batch;
  return {
    tokens: integers([rows, length], sizes.vocabulary),
    segments: integers([rows, length], 2),
    positions: integers([learned], rows * length),
    targets: integers([learned], sizes.vocabulary),
    weights: { type: 'float32', shape: [learned], data: Float32Array.from({ length: learned }, () => random() + 0.1) },
  };
}

/** All stages of a model in this process. */
export async function placeHere(
  runtime: Runtime,
  model: SplitModel,
  { count, weights, mode }: { readonly count: number; readonly weights: Float32Array; readonly mode: StageMode },
): Promise<AsyncDisposable & { readonly placed: readonly PlacedStage[] }> {
  const { signal } = new AbortController();
  const owned = new AsyncDisposableStack();
  const placed: PlacedStage[] = [];
  for (const stage of splitModel(model, count)) {
    const runner = await openStage({ runtime }, { stage, weights: stageWeights(stage, weights), mode, signal });
    placed.push({ stage, runner: owned.use(runner) });
  }
  return { placed, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
