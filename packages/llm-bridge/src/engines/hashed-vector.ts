import { utf8 } from '@peerai/core-protocol';

const dimensions = 64;

/**
 * A text as 64 numbers of L2 norm 1, the same on every machine: its words and their character trigrams, hashed into signed places
 * (the hashing trick of Weinberger et al. 2009, arXiv:0902.2206). Lexical: it knows no meaning.
 */
export function hashedVector(text: string): Float32Array {
  const sums = new Float64Array(dimensions);
  for (const feature of featuresOf(text)) {
    const hash = fnv1a(feature);
    const place = hash % dimensions;
    sums[place] = (sums[place] ?? 0) + (hash & 0x8000_0000 ? -1 : 1);
  }
  const norm = Math.hypot(...sums);
  if (norm === 0) sums[0] = 1;
  return Float32Array.from(sums, (sum) => sum / (norm || 1));
}

function* featuresOf(text: string): Generator<string, void, undefined> {
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    yield `w ${word}`;
    const padded = `^${word}$`;
    for (let index = 0; index + 3 <= padded.length; index += 1) yield `t ${padded.slice(index, index + 3)}`;
  }
}

/** FNV-1a, 32 bits (draft-eastlake-fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of utf8(text)) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
  return hash;
}
