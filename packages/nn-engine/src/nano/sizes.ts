import { limits } from '../limits.ts';
import { type BatchSizes, languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { type Layout, layoutOf } from '../train/layout.ts';
import { listenerLayout, type ListenerSizes } from './listener.ts';

/**
 * A language model that recites, and a listener that tells it what. The vocabulary is word pieces and then one token for each topic: it stands
 * between question and answer.
 */
export interface NanoSizes extends LanguageModelSizes, ListenerSizes {}

export interface NanoBatch extends BatchSizes {
  /** Questions that the listener learns in one step. */
  readonly heard: number;
}

/** The shipped nano model: 2.6 million parameters. */
export const nanoSizes: NanoSizes = {
  vocabulary: 1024 + 103,
  width: 192,
  layers: 3,
  heads: 6,
  hidden: 512,
  context: limits.nanoContextTokens,
  features: 8192,
  topics: 103,
};

/** One training batch: 4 rows with two or three questions and answers each. */
export const nanoBatch: NanoBatch = { rows: 4, length: 192, learned: 640, heard: 256 };

/** All parameters in one flat vector: those of the language model, then the listener's. */
export function nanoLayout(sizes: NanoSizes): Layout {
  const parameters = [...languageModelLayout(sizes).parameters, ...listenerLayout(sizes).parameters];
  return layoutOf(Object.fromEntries(parameters.map(({ name, shape }) => [name, shape])));
}

/** Word pieces, special tokens included. */
export function pieceCount({ vocabulary, topics }: NanoSizes): number {
  return vocabulary - topics;
}

/** The token that says what the answer is about. */
export function topicToken(sizes: NanoSizes, topic: number): number {
  return pieceCount(sizes) + topic;
}
