import { PeerAiError, utf8 } from '@peerai/core-protocol';
import {
  decodeGraph,
  initialWeights,
  type Layout,
  languageModelLayout,
  type LanguageModelSizes,
  seededUnit,
} from '@peerai/nn-engine';
import type { PeerErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Task } from './task.ts';
import { textWindows } from './text-windows.ts';
import type { TrainingPlan } from './training.schema.ts';

export type LanguagePlan = Extract<TrainingPlan, { readonly model: 'language' }>;

/** Rows of one batch. */
export const batchRows = 8;

/** A letter is a byte: 115 thousand weights and 917 thousand. */
const sizes: Readonly<Record<LanguagePlan['size'], LanguageModelSizes>> = {
  small: { vocabulary: 256, width: 64, layers: 2, heads: 4, hidden: 128, context: 64 },
  medium: { vocabulary: 256, width: 128, layers: 4, heads: 4, hidden: 384, context: 128 },
};

export const languageSizes = ({ size }: Pick<LanguagePlan, 'size'>): LanguageModelSizes => sizes[size];
export const languageLayout = ({ size }: LanguagePlan): Layout => languageModelLayout(sizes[size]);
export const languageWeights = ({ size, seed }: LanguagePlan): Float32Array =>
  initialWeights(sizes[size], seededUnit(seed));

/** Throws DATA_TOO_SMALL. */
export function languageTask(plan: LanguagePlan, text: string): Task {
  const model = sizes[plan.size];
  const tokens = utf8(text);
  if (tokens.length < limits.trainingTextBytesMin)
    throw new PeerAiError<PeerErrorCode>(
      'DATA_TOO_SMALL',
      `the text has ${tokens.length} bytes; ${limits.trainingTextBytesMin} are needed`,
    );
  return textWindows({
    sizes: model,
    tokens,
    layout: languageModelLayout(model),
    lossOf: (loss) => loss,
    rows: batchRows,
    length: model.context,
    seed: plan.seed,
    model: (weights) => decodeGraph(model, weights),
  });
}
