import type { Corpus } from '../corpus-types.ts';
import { expand, normalizePhrase } from '../corpus/expand.ts';
import { pieceCount, type NanoSizes, topicToken } from '../sizes.ts';
import { createSplit, type Split, unrelatedPartOf } from '../split.ts';
import { special, type Tokenizer } from '../tokenizer.ts';
import { misspelled } from '../typos.ts';

/** A question, normalised, and what it is about; unrelated ones are about topic number `topics`. */
export interface Question {
  readonly text: string;
  readonly topic: number;
}

/** Token ids of one question, its topic and its answer. */
export interface Recital {
  readonly tokens: readonly number[];
  /** Where the answer begins; what is before is not learned. */
  readonly answerStart: number;
}

/** How samples are drawn; shares are chances from 0 to 1. */
export interface SampleRecipe {
  /** Questions of the listener that are unrelated, those with typos, and features it does not get to see. */
  readonly unrelatedShare: number;
  readonly typoShare: number;
  readonly featuresDropped: number;
}

/** The measured recipe. */
export const sampleRecipe: SampleRecipe = { unrelatedShare: 0.15, typoShare: 0.7, featuresDropped: 0.1 };
/** Draws before giving up on finding a phrasing that is not kept back. */
const drawsMax = 50;

/** Endless training samples. */
export interface Sampler {
  /** For the listener. */
  question(): Question;
  /** For the language model. */
  recital(): Recital;
}

/** Draws from the grammar, determined by `random`. Phrasings kept back for tuning and judging never come. */
export function createSampler(
  corpus: Corpus,
  tokenizer: Tokenizer,
  sizes: NanoSizes,
  random: () => number,
  recipe = sampleRecipe,
): Sampler {
  if (corpus.intents.length !== sizes.topics || tokenizer.size > pieceCount(sizes)) {
    throw new RangeError(
      `${corpus.intents.length} intents and ${tokenizer.size} pieces do not fit ${JSON.stringify(sizes)}`,
    );
  }
  const unrelated = corpus.unrelated.train
    .filter((question) => unrelatedPartOf(question) === 'train')
    .map(normalizePhrase);
  const answers = corpus.intents.map(({ answer }) => [...tokenizer.encode(answer), special.end]);
  const split = createSplit(corpus);
  const written = (text: string): string => (random() < recipe.typoShare ? misspelled(text, random) : text);
  const known = (): Question => {
    const topic = Math.floor(random() * corpus.intents.length);
    return { text: written(drawPhrase(corpus.intents[topic]?.patterns ?? [], split, random)), topic };
  };
  return {
    question() {
      if (unrelated.length === 0 || random() >= recipe.unrelatedShare) return known();
      return { text: written(pick(unrelated, random)), topic: sizes.topics };
    },
    recital() {
      const { text, topic } = known();
      const question = [special.question, ...tokenizer.encode(` ${text}`), topicToken(sizes, topic)];
      return { tokens: [...question, ...(answers[topic] ?? [])], answerStart: question.length };
    },
  };
}

function drawPhrase(patterns: readonly string[], split: Split, random: () => number): string {
  let phrase = '';
  for (let draw = 0; draw < drawsMax; draw += 1) {
    phrase = expand(pick(patterns, random), random);
    if (split(phrase) === 'train') return phrase;
  }
  throw new RangeError(`every phrasing drawn is kept back, the last was "${phrase}"`);
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}
