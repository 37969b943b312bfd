import { PeerAiError, type Tensors, utf8 } from '@peerai/core-protocol';
import {
  decodeGraph,
  Graph,
  initialWeights,
  type Layout,
  languageModelLayout,
  languageModelLoss,
  type LanguageModelSizes,
  parameterValues,
  seededUnit,
  trainingGraph,
} from '@peerai/nn-engine';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Task } from './task.ts';
import type { TrainingPlan } from './training.schema.ts';

export type LanguagePlan = Extract<TrainingPlan, { readonly model: 'language' }>;

/** Rows of one batch, and of the held-out text that is measured at most. */
const [batchRows, measuredRowsMax] = [8, 16];
/** The end of the text is kept apart: one byte in so many. */
const heldOutShare = 10;

/** A letter is a byte: 115 thousand weights and 917 thousand. */
const sizes: Readonly<Record<LanguagePlan['size'], LanguageModelSizes>> = {
  small: { vocabulary: 256, width: 64, layers: 2, heads: 4, hidden: 128, context: 64 },
  medium: { vocabulary: 256, width: 128, layers: 4, heads: 4, hidden: 384, context: 128 },
};

export const languageSizes = ({ size }: Pick<LanguagePlan, 'size'>): LanguageModelSizes => sizes[size];
export const languageLayout = ({ size }: LanguagePlan): Layout => languageModelLayout(sizes[size]);
export const languageWeights = ({ size, seed }: LanguagePlan): Float32Array =>
  initialWeights(sizes[size], seededUnit(seed));

/** The trained model alone, one byte at a time with its key-value cache; see `decodeGraph` of nn-engine for inputs and outputs. */
export const languageModel = ({ size }: LanguagePlan, weights: Float32Array): Uint8Array =>
  decodeGraph(sizes[size], weights);

/** Throws DATA_TOO_SMALL. */
export function languageTask(plan: LanguagePlan, text: string): Task {
  const model = sizes[plan.size];
  const layout = languageModelLayout(model);
  const all = utf8(text);
  if (all.length < limits.trainingTextBytesMin)
    throw new PeerAiError<PeerErrorCode>(
      'DATA_TOO_SMALL',
      `the text has ${all.length} bytes; ${limits.trainingTextBytesMin} are needed`,
    );
  const { context } = model;
  const apart = Math.floor(all.length / heldOutShare);
  const [own, held] = [all.subarray(0, all.length - apart), all.subarray(all.length - apart)];
  const windows = Math.min(measuredRowsMax, Math.floor((held.length - 1) / context));
  const batchSizes = { rows: batchRows, length: context, learned: batchRows * context };
  return {
    size: layout.size,
    examples: own.length,
    heldOut: held.length,
    trainingGraph: () => trainingGraph({ layout, loss: languageModelLoss(model, batchSizes) }),
    batch(step) {
      const random = seededUnit(plan.seed + 7_919 * (step + 1));
      const starts = Array.from({ length: batchRows }, () => Math.floor(random() * (own.length - context)));
      return batchOf(own, starts, context);
    },
    measuringGraph() {
      const graph = new Graph();
      const parameters = parameterValues(layout, graph.input('w', [layout.size]));
      const measured = { rows: windows, length: context, learned: windows * context };
      graph.output('loss', languageModelLoss(model, measured)(graph, parameters));
      return graph.toModel();
    },
    measured: batchOf(
      held,
      Array.from({ length: windows }, (_, window) => window * context),
      context,
    ),
    judge: ({ loss }) => ({ loss: Number(loss?.data[0]), accuracy: null }),
  };
}

/** Windows of the text, each byte's next one as what is to be told. */
function batchOf(text: Uint8Array, starts: readonly number[], context: number): Tensors {
  const [rows, count] = [starts.length, starts.length * context];
  const bytesFrom = (shift: number): BigInt64Array =>
    BigInt64Array.from({ length: count }, (_, place) =>
      BigInt(text[(starts[Math.floor(place / context)] ?? 0) + (place % context) + shift] ?? 0),
    );
  return {
    tokens: { type: 'int64', shape: [rows, context], data: bytesFrom(0) },
    segments: { type: 'int64', shape: [rows, context], data: new BigInt64Array(count) },
    positions: {
      type: 'int64',
      shape: [count],
      data: BigInt64Array.from({ length: count }, (_, place) => BigInt(place)),
    },
    targets: { type: 'int64', shape: [count], data: bytesFrom(1) },
    weights: { type: 'float32', shape: [count], data: new Float32Array(count).fill(1) },
  };
}
