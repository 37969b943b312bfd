import type { Random } from '../ports/index.ts';

/** The same bytes for the same seed, on every machine (sfc32, Chris Doty-Humphrey, PractRand). Not secret: for tests only. */
export function seededRandom(seed: number): Random {
  const word = sfc32(seed);
  return {
    bytes(count) {
      const result = new Uint8Array(count);
      for (let index = 0; index < count; index += 1) result[index] = word() & 0xff;
      return result;
    },
  };
}

function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 15; round += 1) next();
  return next;
}
