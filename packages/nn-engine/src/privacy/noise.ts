import type { Random } from '@peerai/core-protocol';

/**
 * Shortens a vector to an L2 norm of at most `clip` and adds Gaussian noise of deviation `noise · clip` to each element.
 *
 * @param random - a source fit for secrets: who can guess the noise can take it off.
 * @returns a new vector.
 */
export function clipAndAddNoise(
  delta: Float32Array,
  { clip, noise }: { readonly clip: number; readonly noise: number },
  random: Random,
): Float32Array {
  let squares = 0;
  for (const value of delta) squares += value * value;
  const factor = Math.min(1, clip / Math.max(Math.sqrt(squares), Number.MIN_VALUE));
  const normal = normals(random);
  return delta.map((value) => value * factor + normal() * noise * clip);
}

/** Bytes asked of the source at once. */
const batchBytes = 65_536;
/** 2^53: what eleven bits less than 64 can count. */
const unitSteps = 9_007_199_254_740_992;

/** Normal deviates with mean 0 and deviation 1 (Box and Muller), 53 random bits in each uniform. */
export function normals(random: Random): () => number {
  let words: DataView = new DataView(new ArrayBuffer(0));
  let offset = 0;
  let second: number | undefined;
  const uniform = (): number => {
    if (offset + 8 > words.byteLength) {
      const bytes = random.bytes(batchBytes);
      [words, offset] = [new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0];
    }
    const value = (words.getUint32(offset) >>> 11) * 4_294_967_296 + words.getUint32(offset + 4);
    offset += 8;
    return (value + 1) / (unitSteps + 1);
  };
  return () => {
    if (second !== undefined) {
      const kept = second;
      second = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    second = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
