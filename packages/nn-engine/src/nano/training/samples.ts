import type { Corpus } from '../corpus-types.ts';
import { expand, normalizePhrase } from '../corpus/expand.ts';
import { createSplit, type Split, unrelatedPartOf } from '../split.ts';
import { special, type Tokenizer } from '../tokenizer.ts';
import { misspelled } from '../typos.ts';

/** Token ids of one question and its answer, and how much each token counts in the loss (0 for the question). */
export interface Sample {
  readonly tokens: readonly number[];
  readonly weights: readonly number[];
  /** The question as it was written, normalised: what its signature is made of. */
  readonly question: string;
}

/** How samples are drawn; shares are chances from 0 to 1. */
export interface SampleRecipe {
  readonly unrelatedShare: number;
  readonly typoShare: number;
  readonly dropoutShare: number;
  readonly dropout: number;
  readonly cutShare: number;
  readonly cutTokens: number;
  readonly firstTokens: number;
  readonly firstWeight: number;
}

/** The measured recipe. */
export const sampleRecipe: SampleRecipe = {
  /** Unrelated questions, answered with the refusal. */
  unrelatedShare: 0.12,
  typoShare: 0.5,
  /** Questions encoded with BPE dropout, and its rate. */
  dropoutShare: 0.5,
  dropout: 0.08,
  /** Answers cut to their first tokens: which answer it is decides there. */
  cutShare: 0.9,
  cutTokens: 6,
  /** How often the first tokens of an answer count. */
  firstTokens: 5,
  firstWeight: 2,
};
/** Draws before giving up on finding a phrasing that is not kept back. */
const drawsMax = 50;

/** Draws training samples from the grammar, endlessly and determined by `random`. Phrasings kept back for tuning and judging never come. */
export function createSampler(
  corpus: Corpus,
  tokenizer: Tokenizer,
  random: () => number,
  recipe = sampleRecipe,
): () => Sample {
  const unrelated = corpus.unrelated.train
    .filter((question) => unrelatedPartOf(question) === 'train')
    .map(normalizePhrase);
  const answers = corpus.intents.map((intent) => tokenizer.encode(intent.answer));
  const refusal = tokenizer.encode(corpus.refusal);
  const split = createSplit(corpus);
  return () => {
    if (unrelated.length > 0 && random() < recipe.unrelatedShare) {
      return encodeSample(tokenizer, pick(unrelated, random), refusal, random, recipe);
    }
    const index = Math.floor(random() * corpus.intents.length);
    const intent = corpus.intents[index];
    if (intent === undefined) throw new RangeError('the corpus has no intents');
    return encodeSample(tokenizer, drawPhrase(intent.patterns, split, random), answers[index] ?? [], random, recipe);
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

function encodeSample(
  tokenizer: Tokenizer,
  phrase: string,
  answer: readonly number[],
  random: () => number,
  recipe: SampleRecipe,
): Sample {
  const written = random() < recipe.typoShare ? misspelled(phrase, random) : phrase;
  const dropout = random() < recipe.dropoutShare ? recipe.dropout : 0;
  const question = questionTokens(tokenizer, written, { dropout, random });
  const cut = random() < recipe.cutShare;
  const learned = cut ? answer.slice(0, recipe.cutTokens) : [...answer, special.end];
  const weights = learned.map((_, index) => (index < recipe.firstTokens ? recipe.firstWeight : 1));
  return { tokens: [...question, ...learned], weights: [...question.map(() => 0), ...weights], question: written };
}

/** `<question> … <answer>`, as the model sees it; the text must be normalised. */
export function questionTokens(
  tokenizer: Tokenizer,
  text: string,
  options: Parameters<Tokenizer['encode']>[1] = {},
): number[] {
  return [special.question, ...tokenizer.encode(` ${text}`, options), special.answer];
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}
