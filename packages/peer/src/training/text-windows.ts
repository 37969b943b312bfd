import type { Tensors } from '@peerai/core-protocol';
import {
  Graph,
  type Layout,
  languageModelLoss,
  type LanguageModelSizes,
  parameterValues,
  seededUnit,
  trainingGraph,
  type TrainingGraphOptions,
} from '@peerai/nn-engine';
import type { Task } from './task.ts';

/** Windows of held-out text that are measured at most. */
const measuredRowsMax = 16;
/** The end of the text is kept apart: one token in so many. */
const heldOutShare = 10;

export interface TextWindows {
  readonly sizes: LanguageModelSizes;
  readonly tokens: Uint8Array | Uint16Array;
  /** What is learned, and how the model's loss follows from it. */
  readonly layout: Layout;
  readonly lossOf: (loss: TrainingGraphOptions['loss']) => TrainingGraphOptions['loss'];
  /** Windows of one step, and tokens of one window. */
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
  readonly model: Task['model'];
}

/** Least tokens of which one window is kept apart. */
export const tokensMin = (length: number): number => (length + 1) * heldOutShare;

/** A language model learns each next token from windows of a text, and is measured on its end. */
export function textWindows({ sizes, tokens, layout, lossOf, rows, length, seed, model }: TextWindows): Task {
  const apart = Math.floor(tokens.length / heldOutShare);
  const [own, held] = [tokens.subarray(0, tokens.length - apart), tokens.subarray(tokens.length - apart)];
  const windows = Math.min(measuredRowsMax, Math.floor((held.length - 1) / length));
  const lossFor = (count: number) => lossOf(languageModelLoss(sizes, { rows: count, length, learned: count * length }));
  return {
    size: layout.size,
    examples: own.length,
    heldOut: held.length,
    trainingGraph: () => trainingGraph({ layout, loss: lossFor(rows) }),
    batch(step) {
      const random = seededUnit(seed + 7_919 * (step + 1));
      const starts = Array.from({ length: rows }, () => Math.floor(random() * (own.length - length)));
      return batchOf(own, starts, length);
    },
    measuringGraph() {
      const graph = new Graph();
      const parameters = parameterValues(layout, graph.input('w', [layout.size]));
      graph.output('loss', lossFor(windows)(graph, parameters));
      return graph.toModel();
    },
    measured: batchOf(
      held,
      Array.from({ length: windows }, (_, window) => window * length),
      length,
    ),
    judge: ({ loss }) => ({ loss: Number(loss?.data[0]), accuracy: null }),
    model,
  };
}

/** Windows of the text, each token's next one as what is to be told. */
function batchOf(text: TextWindows['tokens'], starts: readonly number[], length: number): Tensors {
  const [rows, count] = [starts.length, starts.length * length];
  const tokensFrom = (shift: number): BigInt64Array =>
    BigInt64Array.from({ length: count }, (_, place) =>
      BigInt(text[(starts[Math.floor(place / length)] ?? 0) + (place % length) + shift] ?? 0),
    );
  return {
    tokens: { type: 'int64', shape: [rows, length], data: tokensFrom(0) },
    segments: { type: 'int64', shape: [rows, length], data: new BigInt64Array(count) },
    positions: {
      type: 'int64',
      shape: [count],
      data: BigInt64Array.from({ length: count }, (_, place) => BigInt(place)),
    },
    targets: { type: 'int64', shape: [count], data: tokensFrom(1) },
    weights: { type: 'float32', shape: [count], data: new Float32Array(count).fill(1) },
  };
}
