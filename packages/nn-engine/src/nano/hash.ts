/** A 32-bit hash of a text (FNV-1a over UTF-16 units, then murmur3's final mixing). The same on every machine; not for secrets. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const signBit = 0x8000_0000;

/**
 * Weighted features added up in hashed places with a sign each (feature hashing, Weinberger et al., arXiv 0902.2206), L2 norm 1, or 0 without
 * features. With two places a feature, two features rarely cancel altogether.
 */
export function hashedRow(
  features: Iterable<readonly [string, number]>,
  dimensions: number,
  placesPerFeature: number,
): Float32Array {
  const row = new Float32Array(dimensions);
  for (const [feature, weight] of features) {
    for (let place = 0; place < placesPerFeature; place += 1) {
      const hash = hashText(feature, place + 11);
      const index = hash % dimensions;
      row[index] = (row[index] as number) + ((hash & signBit) === 0 ? weight : -weight);
    }
  }
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? row : row.map((value) => value / norm);
}

/** The runs of `min` to `max` letters of a word, with `^` and `$` at its ends. */
export function* letterGroups(word: string, min: number, max: number): Generator<string> {
  const bounded = `^${word}$`;
  for (let length = min; length <= max; length += 1) {
    for (let start = 0; start + length <= bounded.length; start += 1) yield bounded.slice(start, start + length);
  }
}
