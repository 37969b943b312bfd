import type { Tensors } from '@peerai/core-protocol';
import {
  divide,
  Graph,
  type Layout,
  mlpForward,
  mlpLayout,
  mlpLoss,
  mlpWeights,
  parameterValues,
  seededUnit,
  subtract,
  trainingGraph,
} from '@peerai/nn-engine';
import { limits } from '../limits.ts';
import { labelsOf, readExamples, type Examples, readTable } from './table.ts';
import type { Task } from './task.ts';
import type { HeldOut, TrainingPlan } from './training.schema.ts';

export type TablePlan = Extract<TrainingPlan, { readonly model: 'mlp' }>;

/** Rows of one batch. */
export const batchRows = 32;
/** One row in so many is kept apart. */
const heldOutShare = 5;

export const tableWidths = ({
  features,
  hidden,
  classes,
}: Pick<TablePlan, 'features' | 'hidden' | 'classes'>): readonly number[] => [
  features.length,
  ...hidden,
  classes.length,
];
export const tableLayout = (plan: TablePlan): Layout => mlpLayout(tableWidths(plan));
export const tableWeights = (plan: TablePlan): Float32Array => mlpWeights(tableWidths(plan), seededUnit(plan.seed));

/** The plan of whoever starts: columns, labels and the scale of each feature as its own data has them. Throws DATA_INVALID, DATA_TOO_SMALL. */
export function planOfTable(
  text: string,
  wish: Pick<TablePlan, 'label' | 'hidden' | 'learningRate' | 'seed'> & {
    readonly classes?: readonly string[] | undefined;
  },
): TablePlan {
  const { label, hidden, learningRate, seed } = wish;
  const table = readTable(text);
  const classes = [...(wish.classes ?? labelsOf(table, label))];
  const features = table.columns.filter((name) => name !== label);
  const { features: numbers, count } = readExamples(table, { features, label, classes });
  const width = features.length;
  const columnOf = (column: number): readonly number[] =>
    Array.from({ length: count }, (_, row) => numbers[row * width + column] ?? 0);
  const scales = features.map((_, column) => scaleOf(columnOf(column)));
  const [means, deviations] = [scales.map(({ mean }) => mean), scales.map(({ deviation }) => deviation)];
  return { v: 1, model: 'mlp', features, label, classes, hidden, means, deviations, learningRate, seed };
}

function scaleOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.fround(Math.sqrt(square));
  // A column that never changes tells nothing; it stays as it is.
  return { mean: Math.fround(mean), deviation: deviation > 0 && Number.isFinite(deviation) ? deviation : 1 };
}

export function tableTask(plan: TablePlan, text: string): Task {
  const widths = tableWidths(plan);
  const layout = tableLayout(plan);
  const all = scaled(readExamples(readTable(text), plan), plan);
  const order = shuffled(all.count, plan.seed);
  const apart = Math.min(limits.trainingHeldOutMax, Math.ceil(all.count / heldOutShare));
  const [held, own] = [order.slice(0, apart), order.slice(apart)];
  return {
    size: layout.size,
    examples: own.length,
    heldOut: held.length,
    trainingGraph: () => trainingGraph({ layout, loss: mlpLoss(widths, batchRows) }),
    batch(step) {
      const random = seededUnit(plan.seed + 7_919 * (step + 1));
      const rows = Array.from({ length: batchRows }, () => own[Math.floor(random() * own.length)] ?? 0);
      const labels = BigInt64Array.from(rows, (row) => BigInt(all.labels[row] ?? 0));
      return { ...featuresOf(all, rows, plan), labels: { type: 'int64', shape: [batchRows], data: labels } };
    },
    measuringGraph() {
      const graph = new Graph();
      const features = graph.input('features', [held.length, plan.features.length]);
      const parameters = parameterValues(layout, graph.input('w', [layout.size]));
      graph.output('scores', mlpForward(features, parameters, widths.length - 1));
      return graph.toModel();
    },
    measured: featuresOf(all, held, plan),
    judge: ({ scores }) =>
      judged(
        scores?.data as Float32Array,
        held.map((row) => all.labels[row] ?? 0),
      ),
    model: (weights) => tableModel(plan, weights),
  };
}

/** The trained model alone: raw `features` [rows, n] in, `scores` [rows, classes] out; the greatest one is its answer. */
function tableModel(plan: TablePlan, weights: Float32Array): Uint8Array {
  const layout = tableLayout(plan);
  const graph = new Graph();
  const features = graph.input('features', ['rows', plan.features.length]);
  const centred = subtract(features, graph.constant(plan.means));
  const parameters = parameterValues(layout, graph.constant(weights, [layout.size]));
  const forward = mlpForward(divide(centred, graph.constant(plan.deviations)), parameters, plan.hidden.length + 1);
  graph.output('scores', forward);
  return graph.toModel();
}

function scaled(examples: Examples, { means, deviations }: TablePlan): Examples {
  const width = means.length;
  const features = examples.features.map(
    (value, index) => (value - (means[index % width] ?? 0)) / (deviations[index % width] ?? 1),
  );
  return { ...examples, features };
}

function featuresOf(all: Examples, rows: readonly number[], { features }: TablePlan): Tensors {
  const width = features.length;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, place) => data.set(all.features.subarray(row * width, (row + 1) * width), place * width));
  return { features: { type: 'float32', shape: [rows.length, width], data } };
}

/** Mean −log p of the right class, and the share of rows where it has the greatest score. */
export function judged(scores: Float32Array, labels: readonly number[]): HeldOut {
  const classes = scores.length / labels.length;
  let [loss, right] = [0, 0];
  labels.forEach((label, row) => {
    const own = scores.subarray(row * classes, (row + 1) * classes);
    const greatest = own.reduce((most, score) => Math.max(most, score), -Infinity);
    const sum = own.reduce((total, score) => total + Math.exp(score - greatest), 0);
    const score = own[label] ?? 0;
    loss += Math.log(sum) + greatest - score;
    if (score === greatest) right += 1;
  });
  return { loss: loss / labels.length, accuracy: right / labels.length };
}

/** 0 to count − 1 in an order that follows from the seed (Fisher and Yates). */
export function shuffled(count: number, seed: number): readonly number[] {
  const random = seededUnit(seed);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}
