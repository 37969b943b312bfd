/**
 * Numbers in [0, 1), the same for the same seed on every machine (mulberry32, Tommy Ettinger). For training and tests, never for secrets.
 *
 * @returns a function with its state in one 32-bit word, so that a checkpoint can keep it: `state` and `restore`.
 */
export interface SeededUnit {
  (): number;
  state(): number;
}

export function seededUnit(seed: number): SeededUnit {
  let word = seed | 0;
  const next = (): number => {
    word = (word + 0x6d2b79f5) | 0;
    let mixed = Math.imul(word ^ (word >>> 15), 1 | word);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return Object.assign(next, { state: () => word });
}

/** A normal deviate with mean 0 and deviation 1 (Box and Muller). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
