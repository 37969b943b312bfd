import { PeerAiError, type Runtime, type Tensors } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { checkPixels, pixelColumns } from './images.ts';
import { classOf, invalid, readNumbers, readWide, type Table, told } from './table.ts';
import type { Prediction, TrainingPlan, TrainingPrediction } from './training.schema.ts';

type ClassPlan = Extract<TrainingPlan, { readonly model: 'mlp' | 'conv' }>;

/** Rows that are put through the model at once: as many as are measured with after each round. */
const rowsAtOnce = { mlp: limits.trainingHeldOutMax, conv: limits.trainingHeldImagesMax } as const;
/** One row is enough, and a model may look at one column alone. */
const least = { columns: 1, rows: 1 };

/**
 * What a trained model says of each row of a table with the columns it was trained with; others are left out, of images none may be.
 *
 * @param text - CSV; where it has the column of labels too, the answers are compared with it, but for rows that say nothing there.
 * @param model - the file that the run ended with.
 * Throws UNSUPPORTED for a plan that tells no labels apart, DATA_INVALID naming the columns or the place, DATA_TOO_SMALL, LIMIT_EXCEEDED,
 * what the runtime throws.
 */
export async function predict(
  runtime: Runtime,
  {
    plan,
    text,
    model,
    signal,
  }: {
    readonly plan: TrainingPlan;
    readonly text: string;
    readonly model: Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<Pick<TrainingPrediction, 'rows' | 'right' | 'labelled'>> {
  if (plan.model !== 'mlp' && plan.model !== 'conv')
    throw new PeerAiError(
      'UNSUPPORTED',
      'this run learned from text, so it tells no labels apart; it answers like other models',
    );
  const table = readWide(text, limits.trainingImageColumnsMax, least);
  const features = featuresOf(plan, table);
  const numbers = readNumbers(table, features);
  if (plan.model === 'conv') checkPixels(numbers, features);
  const labels = labelsIn(plan, table);
  const width = features.length;
  await using program = await runtime.load(model, { signal });
  const rows: Prediction[] = [];
  for (let first = 0; first < table.rows.length; first += rowsAtOnce[plan.model]) {
    const count = Math.min(rowsAtOnce[plan.model], table.rows.length - first);
    const batch = numbers.slice(first * width, (first + count) * width);
    const { scores } = await program.run(feedsOf(plan, count, batch), signal);
    rows.push(...answersOf(plan, scores?.data as Float32Array, labels?.slice(first, first + count)));
  }
  const labelled = rows.filter(({ label }) => label !== null);
  return { rows, right: labelled.filter(({ label, answer }) => label === answer).length, labelled: labelled.length };
}

/** Throws DATA_INVALID with the names of all columns that are missing. */
function featuresOf(plan: ClassPlan, table: Table): readonly string[] {
  if (plan.model === 'conv') return pixelColumns(table, plan);
  const missing = plan.features.filter((name) => !table.columns.includes(name));
  if (missing.length === 0) return plan.features;
  throw invalid(
    `the columns ${told(missing)} are missing: the model was trained with ${told(plan.features)}, and the file has ${told(table.columns)}`,
    { missing: missing.slice(0, limits.namesToldMax) },
  );
}

/** What each row says itself, null where it says nothing; undefined without such a column. Throws DATA_INVALID with the row. */
function labelsIn(plan: ClassPlan, { columns, rows }: Table): readonly (string | null)[] | undefined {
  const column = columns.indexOf(plan.label);
  if (column < 0) return undefined;
  return rows.map((row, index) => {
    const value = (row[column] ?? '').trim();
    return value === '' ? null : (plan.classes[classOf(value, index, plan)] ?? null);
  });
}

const feedsOf = (plan: ClassPlan, rows: number, data: Float32Array): Tensors =>
  plan.model === 'mlp'
    ? { features: { type: 'float32', shape: [rows, plan.features.length], data } }
    : { images: { type: 'float32', shape: [rows, plan.channels, plan.side, plan.side], data } };

/** The class with the greatest score of each row, and its share of exp(score) over all classes (softmax). */
function answersOf(
  { classes }: ClassPlan,
  scores: Float32Array,
  labels: readonly (string | null)[] | undefined,
): readonly Prediction[] {
  return Array.from({ length: scores.length / classes.length }, (_, row) => {
    const own = scores.subarray(row * classes.length, (row + 1) * classes.length);
    const greatest = own.reduce((most, score) => Math.max(most, score), -Infinity);
    const sum = own.reduce((total, score) => total + Math.exp(score - greatest), 0);
    return { answer: classes[own.indexOf(greatest)] ?? '', probability: 1 / sum, label: labels?.[row] ?? null };
  });
}
