import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { add, type Graph, matmul, scale, showShape, type Value } from '../graph/index.ts';
import { checkLength, type Layout, layoutOf, type Parameter, type TrainedModel } from './layout.ts';
import { gaussian } from './random.ts';
import type { TrainingGraphOptions } from './training-graph.ts';

export interface LoraOptions {
  /** Columns of A and rows of B, count. */
  readonly rank: number;
  /** The correction counts alpha / rank times. Default: rank, so once. */
  readonly alpha?: number;
  /** Names of the matrices that get a correction. Default: every one whose sides are both longer than the rank. */
  readonly targets?: readonly string[];
}

/** A low-rank adapter (Hu et al., arXiv 2106.09685): each target matrix W [in, out] is used as W + alpha / rank · A · B. */
export interface Lora {
  /** `NAME.a` [in, rank] and `NAME.b` [rank, out] for each target: the one flat vector that is trained, exchanged in rounds and kept. */
  readonly layout: Layout;
  /** A fresh adapter: A normal with deviation 1 / √in, B zero, so that the first step begins at the base. */
  fresh(random: () => number): Float32Array;
  /** The model's loss as a loss of the adapter alone, for `trainingGraph({ layout: lora.layout, loss: lora.loss(…) })`: the base is written into the graph. */
  loss(loss: TrainingGraphOptions['loss']): TrainingGraphOptions['loss'];
  /** The model's weights with the adapter added in; the base itself is not changed. Throws SHAPE_MISMATCH. */
  merge(adapter: Float32Array): Float32Array;
}

/**
 * An adapter for a frozen base. The base is not copied: it must not change while the adapter is in use.
 *
 * What it saves is state and traffic, not arithmetic: moments and updates are as long as the adapter, but each step still computes the gradient of the
 * whole target before it is narrowed to A and B. Throws INVALID_OPTION, and SHAPE_MISMATCH when weights and layout differ in length.
 */
export function createLora(base: TrainedModel, options: LoraOptions): Lora {
  const { rank, alpha = rank } = options;
  checkLength(base, 'base');
  const targets = targetsOf(base.layout, options);
  const layout = layoutFor(targets, rank);
  const targeted = new Set(targets.map(({ name }) => name));
  return {
    layout,
    fresh: (random) => freshAdapter(layout, random),
    loss: (loss) => (graph, adapter) => {
      const parameters = base.layout.parameters.map((parameter): readonly [string, Value] => {
        const frozen = constantOf(graph, base, parameter);
        const [a, b] = [adapter.get(`${parameter.name}.a`), adapter.get(`${parameter.name}.b`)];
        if (!targeted.has(parameter.name) || a === undefined || b === undefined) return [parameter.name, frozen];
        return [parameter.name, add(frozen, scale(matmul(a, b), alpha / rank))];
      });
      return loss(graph, new Map(parameters));
    },
    merge(adapter) {
      checkLength({ layout, weights: adapter }, 'adapter');
      const merged = base.weights.slice();
      targets.forEach((target, index) => {
        const [a, b] = layout.parameters
          .slice(2 * index, 2 * index + 2)
          .map(({ offset, size }) => adapter.subarray(offset, offset + size));
        if (a !== undefined && b !== undefined) addProduct(merged, target, a, b, alpha / rank);
      });
      return merged;
    },
  };
}

/** The layout of an adapter for a base of this layout, without the base's weights. Throws INVALID_OPTION. */
export const loraLayout = (base: Layout, options: LoraOptions): Layout =>
  layoutFor(targetsOf(base, options), options.rank);

/** A fresh adapter of this layout, as `Lora.fresh` makes it. */
export function freshAdapter(layout: Layout, random: () => number): Float32Array {
  const adapter = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.parameters) {
    if (name.endsWith('.b')) continue;
    const deviation = 1 / Math.sqrt(shape[0] ?? 1);
    for (let index = offset; index < offset + size; index += 1) adapter[index] = gaussian(random) * deviation;
  }
  return adapter;
}

function layoutFor(targets: readonly Parameter[], rank: number): Layout {
  return layoutOf(
    Object.fromEntries(
      targets.flatMap(({ name, shape: [rows = 0, columns = 0] }) => [
        [`${name}.a`, [rows, rank]],
        [`${name}.b`, [rank, columns]],
      ]),
    ),
  );
}

function targetsOf(layout: Layout, { rank, alpha, targets }: LoraOptions): readonly Parameter[] {
  if (!Number.isInteger(rank) || rank < 1) throw invalid('rank must be a whole number from 1.', { rank });
  if (alpha !== undefined && !(Number.isFinite(alpha) && alpha > 0)) throw invalid('alpha must be above 0.', { alpha });
  const fits = ({ shape }: Parameter): boolean => shape.length === 2 && shape.every((size) => size > rank);
  const chosen = layout.parameters.filter((parameter) =>
    targets === undefined ? fits(parameter) : targets.includes(parameter.name),
  );
  const unknown = targets?.find((name) => !chosen.some((parameter) => parameter.name === name));
  if (unknown !== undefined) throw invalid(`The base has no parameter ${unknown}.`, { target: unknown });
  const wrong = chosen.find((parameter) => !fits(parameter));
  if (wrong !== undefined)
    throw invalid(`${wrong.name} ${showShape(wrong.shape)} is no matrix with both sides longer than rank ${rank}.`, {
      target: wrong.name,
      rank,
    });
  if (chosen.length === 0) throw invalid(`The base has no matrix with both sides longer than rank ${rank}.`, { rank });
  return chosen;
}

function constantOf(graph: Graph, { weights }: TrainedModel, { shape, offset, size }: Parameter): Value {
  return graph.constant(weights.subarray(offset, offset + size), shape);
}

/** W ← W + factor · A · B, row after row. */
function addProduct(
  weights: Float32Array,
  { shape: [rows = 0, columns = 0], offset }: Parameter,
  a: Float32Array,
  b: Float32Array,
  factor: number,
): void {
  const rank = b.length / columns;
  const row = new Float64Array(columns);
  for (let index = 0; index < rows; index += 1) {
    row.fill(0);
    for (let inner = 0; inner < rank; inner += 1) {
      const weight = a[index * rank + inner] ?? 0;
      for (let column = 0; column < columns; column += 1)
        row[column] = (row[column] ?? 0) + weight * (b[inner * columns + column] ?? 0);
    }
    const start = offset + index * columns;
    row.forEach((sum, column) => {
      weights[start + column] = (weights[start + column] ?? 0) + factor * sum;
    });
  }
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_OPTION', message, details);
}
