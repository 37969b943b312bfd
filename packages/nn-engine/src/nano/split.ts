import { hashText } from './hash.ts';

/** Where a phrasing belongs; the same on every machine, whatever the seed of a training. */
export type Part = 'train' | 'tune' | 'test';

const buckets = 20;
const testBuckets = 2;
const tuneBuckets = 1;

/** Of all concrete phrasings 10 % are kept for judging and 5 % for setting the confidence gate; the rest is trained on. */
export function partOf(phrase: string): Part {
  const bucket = hashText(phrase, 1) % buckets;
  if (bucket < testBuckets) return 'test';
  return bucket < testBuckets + tuneBuckets ? 'tune' : 'train';
}

const unrelatedTuneShare = 8;

/** One in eight of the unrelated questions meant for training sets the gate instead. */
export function unrelatedPartOf(question: string): 'train' | 'tune' {
  return hashText(question, 2) % unrelatedTuneShare === 0 ? 'tune' : 'train';
}
