import { PeerAiError, type Tensors } from '@peerai/core-protocol';
import {
  convForward,
  convLayout,
  convLoss,
  type ConvSizes,
  convStatistics,
  convWeights,
  convWholeLayout,
  Graph,
  type Layout,
  parameterValues,
  scale,
  seededUnit,
  trainingGraph,
} from '@peerai/nn-engine';
import { limits } from '../limits.ts';
import { readImages, readImageTable, sidesOf } from './images.ts';
import { type Examples, labelsOf } from './table.ts';
import { judged, shuffled } from './table-task.ts';
import type { Task } from './task.ts';
import type { TrainingPlan } from './training.schema.ts';

export type ImagePlan = Extract<TrainingPlan, { readonly model: 'conv' }>;

/** Images of one batch. */
const batchRows = 32;
/** One image in so many is kept apart. */
const heldOutShare = 5;
/** What a pixel is at its brightest. */
const brightest = 255;

const sizesOf = ({ channels, side, filters, classes }: ImagePlan): ConvSizes => ({
  channels,
  side,
  filters,
  classes: classes.length,
});
/** The weights, then the running statistics: members average both. */
export const imageLayout = (plan: ImagePlan): Layout => convWholeLayout(sizesOf(plan));
export function imageWeights(plan: ImagePlan): Float32Array {
  const sizes = sizesOf(plan);
  return Float32Array.of(...convWeights(sizes, seededUnit(plan.seed)), ...convStatistics(sizes));
}

/** The plan of whoever starts: the size and the labels of its own images. Throws DATA_INVALID, DATA_TOO_SMALL, INVALID_OPTION for more stages than a side halves. */
export function planOfImages(
  text: string,
  wish: Pick<ImagePlan, 'label' | 'filters' | 'learningRate' | 'seed'> & {
    readonly classes?: readonly string[] | undefined;
  },
): ImagePlan {
  const { label, filters, learningRate, seed } = wish;
  const table = readImageTable(text);
  const { side, channels } = sidesOf(table.columns.length);
  if (side % 2 ** filters.length !== 0)
    throw new PeerAiError(
      'INVALID_OPTION',
      `a side of ${side} does not halve ${filters.length} times: name fewer filters`,
    );
  const classes = [...(wish.classes ?? labelsOf(table, label))];
  readImages(table, { label, classes, side, channels });
  return { v: 1, model: 'conv', label, classes, side, channels, filters, learningRate, seed };
}

export function imageTask(plan: ImagePlan, text: string): Task {
  const [sizes, layout] = [sizesOf(plan), imageLayout(plan)];
  const learned = convLayout(sizes);
  const all = readImages(readImageTable(text), plan);
  const order = shuffled(all.count, plan.seed);
  const apart = Math.min(limits.trainingHeldImagesMax, Math.ceil(all.count / heldOutShare));
  const [held, own] = [order.slice(0, apart), order.slice(apart)];
  return {
    size: layout.size,
    statistics: layout.size - learned.size,
    examples: own.length,
    heldOut: held.length,
    trainingGraph: () => trainingGraph({ layout: learned, loss: convLoss(sizes, batchRows) }),
    batch(step) {
      const random = seededUnit(plan.seed + 7_919 * (step + 1));
      const rows = Array.from({ length: batchRows }, () => own[Math.floor(random() * own.length)] ?? 0);
      const labels = BigInt64Array.from(rows, (row) => BigInt(all.labels[row] ?? 0));
      return { ...imagesOf(all, rows, plan), labels: { type: 'int64', shape: [batchRows], data: labels } };
    },
    measuringGraph() {
      const graph = new Graph();
      const images = graph.input('images', [held.length, plan.channels, plan.side, plan.side]);
      const parameters = parameterValues(layout, graph.input('w', [layout.size]));
      graph.output('scores', convForward(images, parameters, sizes));
      return graph.toModel();
    },
    measured: imagesOf(all, held, plan),
    judge: ({ scores }) =>
      judged(
        scores?.data as Float32Array,
        held.map((row) => all.labels[row] ?? 0),
      ),
    model: (weights) => imageModel(plan, weights),
  };
}

/** The trained model alone: `images` [rows, channels, side, side] of 0 to 255 in, `scores` [rows, classes] out; the greatest one is its answer. */
function imageModel(plan: ImagePlan, weights: Float32Array): Uint8Array {
  const layout = imageLayout(plan);
  const graph = new Graph();
  const images = graph.input('images', ['rows', plan.channels, plan.side, plan.side]);
  const parameters = parameterValues(layout, graph.constant(weights, [layout.size]));
  graph.output('scores', convForward(scale(images, 1 / brightest), parameters, sizesOf(plan)));
  return graph.toModel();
}

/** As what is learned from: 0 to 1. */
function imagesOf({ features }: Examples, rows: readonly number[], { channels, side }: ImagePlan): Tensors {
  const pixels = channels * side * side;
  const data = new Float32Array(rows.length * pixels);
  rows.forEach((row, place) => {
    for (let pixel = 0; pixel < pixels; pixel += 1)
      data[place * pixels + pixel] = (features[row * pixels + pixel] ?? 0) / brightest;
  });
  return { images: { type: 'float32', shape: [rows.length, channels, side, side], data } };
}
