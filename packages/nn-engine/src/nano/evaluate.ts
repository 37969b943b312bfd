import type { LanguageModel } from '@peerai/core-protocol';

import { seededUnit } from '../train/random.ts';
import type { Corpus } from './corpus-types.ts';
import { countExpansions, expand, normalizePhrase } from './corpus/expand.ts';
import { createSplit, isCombination, type Part, partsAreTrained } from './split.ts';
import { misspelled } from './typos.ts';

/** A question and what its right answer is: an intent's stored answer, or a refusal (undefined). */
export interface Trial {
  readonly question: string;
  readonly intent: string | undefined;
}

export interface Score {
  readonly right: number;
  readonly total: number;
  /** right / total. */
  readonly share: number;
  /** Refused, with suggestions. */
  readonly refused: number;
  /** Refused, and one of the three suggestions is the right question. */
  readonly suggested: number;
}

export interface NanoEvaluation {
  /** Phrasings of known patterns that training never saw: new combinations of parts it saw. A refusal is never right. */
  readonly known: Score;
  /** The same phrasings with one typo in each (two from 40 characters on). */
  readonly typos: Score;
  /** Unrelated questions; right is a refusal. */
  readonly unrelated: Score;
  /** Patterns that training never saw: reported, not a goal. */
  readonly unseenPatterns: Score;
}

export interface EvaluateOptions {
  readonly seed: number;
  /** By default the corpus the shipped model was trained on. */
  readonly corpus?: Corpus;
  /** Phrasings of known patterns. Default 240. */
  readonly phrasings?: number;
  /** Unrelated questions and unseen patterns at most; all by default. */
  readonly othersMax?: number;
  readonly signal?: AbortSignal;
}

/** Patterns with more ways through them are left out: telling what is trained walks through all. */
const expansionsMax = 20_000;
const drawsMax = 200;
const answerTokensMax = 220;

/**
 * Asks the model and judges by intent: only the exact stored answer is right. The same seed asks the same questions on every machine.
 */
export async function evaluateNano(model: LanguageModel, options: EvaluateOptions): Promise<NanoEvaluation> {
  const { seed, phrasings = 240, othersMax = Infinity, signal = new AbortController().signal } = options;
  const corpus = options.corpus ?? (await import('./corpus/index.ts')).corpus;
  const known = drawTrials(corpus, phrasings, 'test', seed);
  const random = seededUnit(seed + 1);
  const typos = known.map(({ question, intent }) => ({ question: misspelled(question, random), intent }));
  const unrelated = corpus.unrelated.test.map((question) => ({ question, intent: undefined }));
  const judge = (trials: readonly Trial[]): Promise<Score> => score(model, corpus, trials, signal);
  return {
    known: await judge(known),
    typos: await judge(typos),
    unrelated: await judge(unrelated.slice(0, othersMax)),
    unseenPatterns: await judge(unseenTrials(corpus, random).slice(0, othersMax)),
  };
}

/** Distinct phrasings of one part, the intents in turn; each part of them is seen in other, trained phrasings of the same pattern. */
export function drawTrials(corpus: Corpus, count: number, part: Part, seed: number): readonly Trial[] {
  const random = seededUnit(seed);
  const split = createSplit(corpus);
  const seen = new Set<string>();
  const trials: Trial[] = [];
  let found = 0;
  // Ends when a whole round over the intents has found nothing new.
  for (let turn = 0; trials.length < count && turn - found <= corpus.intents.length; turn += 1) {
    const intent = corpus.intents[turn % corpus.intents.length];
    const patterns =
      intent?.patterns.filter((pattern) => isCombination(pattern) && countExpansions(pattern) <= expansionsMax) ?? [];
    for (let draw = 0; draw < drawsMax && patterns.length > 0; draw += 1) {
      const pattern = patterns[Math.floor(random() * patterns.length)] as string;
      const question = expand(pattern, random);
      if (split(question) !== part || seen.has(question) || !partsAreTrained(pattern, question, split)) continue;
      seen.add(question);
      trials.push({ question, intent: intent?.name });
      found = turn;
      break;
    }
  }
  return trials;
}

function unseenTrials(corpus: Corpus, random: () => number): readonly Trial[] {
  return Object.entries(corpus.heldOutPatterns).flatMap(([intent, patterns]) =>
    patterns.map((pattern) => ({ question: normalizePhrase(expand(pattern, random)), intent })),
  );
}

async function score(
  model: LanguageModel,
  corpus: Corpus,
  trials: readonly Trial[],
  signal: AbortSignal,
): Promise<Score> {
  let [right, refused, suggested] = [0, 0, 0];
  for (const { question, intent: name } of trials) {
    const intent = corpus.intents.find((candidate) => candidate.name === name);
    const { text, suggestions } = await ask(model, question, signal);
    if (suggestions !== undefined) refused += 1;
    if (intent === undefined ? suggestions !== undefined : suggestions === undefined && text === intent.answer)
      right += 1;
    if (intent !== undefined && suggestions?.includes(intent.question) === true) suggested += 1;
  }
  const total = trials.length;
  return { right, total, share: total === 0 ? 0 : right / total, refused, suggested };
}

async function ask(
  model: LanguageModel,
  question: string,
  signal: AbortSignal,
): Promise<{ text: string; suggestions: readonly string[] | undefined }> {
  let text = '';
  let suggestions: readonly string[] | undefined;
  for await (const part of model.generate(
    { messages: [{ role: 'user', text: question }] },
    { maxTokens: answerTokensMax },
    signal,
  )) {
    if (part.type === 'text-delta') text += part.text;
    if (part.type === 'finish') ({ suggestions } = part);
  }
  return { text, suggestions };
}
