import type { Tensors } from '@peerai/core-protocol';
import {
  createTrainer,
  freshState,
  Graph,
  initialWeights,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
  parameterValues,
  seededUnit,
  type Trainer,
  trainingGraph,
} from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';

/** A model of bytes with 1.06 million parameters. */
const sizes: LanguageModelSizes = { vocabulary: 256, width: 128, layers: 5, heads: 4, hidden: 344, context: 32 };
const layout = languageModelLayout(sizes);
export const modelSize = layout.size;
/** Bytes of one row: short, so that a step is cheap. */
export const rowLength = 32;
/** Rows that are judged at once. */
const judgedRows = 16;
const runtime = createNodeRuntime();

export const firstWeights = (): Float32Array => initialWeights(sizes, seededUnit(1));

/** @param from - the first weights; the moments of AdamW begin at zero, whatever these have learned. */
export function lossTrainer(rows: number, signal: AbortSignal, from = firstWeights()): Promise<Trainer> {
  const graph = trainingGraph({ layout, loss: languageModelLoss(sizes, batchOf(rows)) });
  return createTrainer({ runtime }, { graph, initial: freshState(from), signal });
}

const highestRate = 1.5e-3;

/** Rises for a hundred steps, then stays: training that is not at its end. */
export const steadyRateAt = (step: number): number => highestRate * Math.min(1, (step + 1) / 100);

/** Rises for a hundred steps, then falls to a hundredth as a cosine does. */
export const learningRateAt = (step: number, steps: number): number =>
  steadyRateAt(step) * (0.01 + 0.495 * (1 + Math.cos((Math.PI * step) / steps)));

/** Rows of a text at places drawn by `seed`: the same for the same seed. */
export function rowsOf(text: Uint8Array, rows: number, seed: number): readonly Uint8Array[] {
  const random = seededUnit(seed);
  return Array.from({ length: rows }, () => {
    const start = Math.floor(random() * (text.length - rowLength - 1));
    return text.subarray(start, start + rowLength + 1);
  });
}

/** What the model is fed: each byte of a row learns the next one. */
export function batchFrom(rows: readonly Uint8Array[]): Tensors {
  const shape = [rows.length, rowLength];
  const count = rows.length * rowLength;
  const integers = (value: (row: number, column: number, index: number) => number): BigInt64Array =>
    BigInt64Array.from({ length: count }, (_, index) =>
      BigInt(value(Math.floor(index / rowLength), index % rowLength, index)),
    );
  return {
    tokens: { type: 'int64', shape, data: integers((row, column) => rows[row]?.[column] ?? 0) },
    segments: { type: 'int64', shape, data: integers(() => 0) },
    positions: { type: 'int64', shape: [count], data: integers((_row, _column, index) => index) },
    targets: { type: 'int64', shape: [count], data: integers((row, column) => rows[row]?.[column + 1] ?? 0) },
    weights: { type: 'float32', shape: [count], data: new Float32Array(count).fill(1) },
  };
}

/** Says how well weights foretell a text they never saw, nats a byte. */
export interface Judge extends AsyncDisposable {
  /** @param batches - how many of the held-out rows, sixteen each; the same ones each time. */
  loss(weights: Float32Array, batches: number): Promise<number>;
}

export async function heldOutJudge(text: Uint8Array, signal: AbortSignal): Promise<Judge> {
  const graph = new Graph();
  const weights = graph.input('w', [layout.size]);
  graph.output('loss', languageModelLoss(sizes, batchOf(judgedRows))(graph, parameterValues(layout, weights)));
  const program = await runtime.load(graph.toModel(), { signal, threads: 1 });
  return {
    async loss(data, batches) {
      let sum = 0;
      for (let batch = 0; batch < batches; batch += 1) {
        const w = { type: 'float32', shape: [data.length], data } as const;
        const { loss } = await program.run({ w, ...batchFrom(rowsOf(text, judgedRows, 1_000_000 + batch)) }, signal);
        sum += Number(loss?.data[0]);
      }
      return sum / batches;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

const batchOf = (rows: number) => ({ rows, length: rowLength, learned: rows * rowLength });
