import { normalizePhrase } from './corpus/expand.ts';
import { hashText } from './hash.ts';

/** Dimensions of a lexical-hash row. */
export const embeddingDimensions = 384;
const [gramMin, gramMax] = [3, 5];
const gramWeight = 0.4;
/** Each feature lands in two places with a sign each, so that two features rarely cancel altogether. */
const placesPerFeature = 2;
const signBit = 0x8000_0000;

/**
 * The lexical-hash row of a text: its words and their 3- to 5-letter parts, hashed with a sign into 384 places, log-weighted by count, L2 norm 1
 * (0 for a text without letters or digits). Texts are near when they share words or spellings, not meaning: lexical, never semantic.
 */
export function lexicalHash(text: string, dimensions = embeddingDimensions): Float32Array {
  const row = new Float32Array(dimensions);
  for (const [feature, count] of features(normalizePhrase(text))) {
    const weight = 1 + Math.log(1 + count);
    const share = feature.startsWith('w ') ? weight : weight * gramWeight;
    for (let place = 0; place < placesPerFeature; place += 1) {
      const hash = hashText(feature, place + 11);
      const index = hash % dimensions;
      row[index] = (row[index] as number) + ((hash & signBit) === 0 ? share : -share);
    }
  }
  const norm = Math.sqrt(dot(row, row));
  return norm === 0 ? row : row.map((value) => value / norm);
}

export function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) sum += (left[index] as number) * (right[index] as number);
  return sum;
}

function features(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (feature: string): void => void counts.set(feature, (counts.get(feature) ?? 0) + 1);
  for (const word of text.split(' ')) {
    if (word === '') continue;
    count(`w ${word}`);
    const bounded = `^${word}$`;
    for (let length = gramMin; length <= gramMax; length += 1) {
      for (let start = 0; start + length <= bounded.length; start += 1)
        count(`c ${bounded.slice(start, start + length)}`);
    }
  }
  return counts;
}
