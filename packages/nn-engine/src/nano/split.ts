import type { Corpus } from './corpus-types.ts';
import { allExpansions, parsePattern } from './corpus/expand.ts';
import { hashText } from './hash.ts';

/** Where a phrasing belongs; the same on every machine, whatever the seed of a training. */
export type Part = 'train' | 'tune' | 'test';
export type Split = (phrase: string) => Part;

const buckets = 20;
const testBuckets = 2;
const tuneBuckets = 1;
/** A pattern with fewer choices is a list of separate phrases: keeping one back would keep back its words, not a combination. */
const choicesMin = 2;

/** True for patterns whose phrasings are combinations, so that one can be kept back while all its parts are seen in others. */
export function isCombination(pattern: string): boolean {
  return parsePattern(pattern).filter((part) => part.length > 1).length >= choicesMin;
}

/** Of all combinations 10 % are kept for judging and 5 % for setting the confidence gate; the rest, and every single phrase, is trained on. */
export function createSplit(corpus: Corpus): Split {
  const single = corpus.intents.flatMap(({ patterns }) => patterns.filter((pattern) => !isCombination(pattern)));
  const trained = new Set(single.flatMap((pattern) => [...allExpansions(pattern)]));
  return (phrase) => {
    if (trained.has(phrase)) return 'train';
    const bucket = hashText(phrase, 1) % buckets;
    if (bucket < testBuckets) return 'test';
    return bucket < testBuckets + tuneBuckets ? 'tune' : 'train';
  };
}

/**
 * True when every choice the phrasing makes is also made by some phrasing of the same pattern that is trained on: unseen is the combination only.
 */
export function partsAreTrained(pattern: string, phrase: string, split: Split): boolean {
  const parts = parsePattern(pattern);
  const expansions = [...allExpansions(pattern)];
  const index = expansions.indexOf(phrase);
  const trained = expansions.map((text) => split(text) === 'train');
  let stride = 1;
  return parts.every((part) => {
    const [size, before] = [part.length, stride];
    stride *= size;
    const chosen = Math.floor(index / before) % size;
    return trained.some((isTrained, other) => isTrained && Math.floor(other / before) % size === chosen);
  });
}

const unrelatedTuneShare = 8;

/** One in eight of the unrelated questions meant for training sets the gate instead. */
export function unrelatedPartOf(question: string): 'train' | 'tune' {
  return hashText(question, 2) % unrelatedTuneShare === 0 ? 'tune' : 'train';
}
