import type { BatchSizes, LanguageModelSizes } from '../models/language-model.ts';
import { limits } from '../limits.ts';

/** The shipped nano model: 2.6 million parameters. */
export const nanoSizes: LanguageModelSizes = {
  vocabulary: 1024,
  width: 192,
  layers: 4,
  heads: 6,
  hidden: 512,
  context: limits.nanoContextTokens,
  features: 2048,
};

/** One training batch: 8 rows of 128 tokens, of which about two fifths are answers. */
export const nanoBatch: BatchSizes = { rows: 8, length: 128, learned: 512, samples: 72 };
