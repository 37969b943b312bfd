import { normalizePhrase } from './corpus/expand.ts';
import { hashedRow, letterGroups } from './hash.ts';

/** Dimensions of a lexical-hash row. */
export const embeddingDimensions = 384;
const [groupMin, groupMax] = [3, 5];
const groupWeight = 0.4;
const placesPerFeature = 2;

/**
 * The lexical-hash row of a text: its words and their 3- to 5-letter parts, hashed with a sign into 384 places, log-weighted by count, L2 norm 1
 * (0 for a text without letters or digits). Texts are near when they share words or spellings, not meaning: lexical, never semantic.
 */
export function lexicalHash(text: string, dimensions = embeddingDimensions): Float32Array {
  const counts = new Map<string, number>();
  const count = (feature: string): void => void counts.set(feature, (counts.get(feature) ?? 0) + 1);
  for (const word of normalizePhrase(text).split(' ')) {
    if (word === '') continue;
    count(`w ${word}`);
    for (const group of letterGroups(word, groupMin, groupMax)) count(`c ${group}`);
  }
  const weighted = Array.from(counts, ([feature, times]): [string, number] => {
    const weight = 1 + Math.log(1 + times);
    return [feature, feature.startsWith('w ') ? weight : weight * groupWeight];
  });
  return hashedRow(weighted, dimensions, placesPerFeature);
}
