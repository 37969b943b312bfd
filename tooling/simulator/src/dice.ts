import { seededRandom } from '@peerai/core-protocol/testing';

/** Luck that one seed decides. */
export interface Dice {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  chance(share: number): boolean;
  /** Throws RangeError for an empty list. */
  pick<T>(list: readonly T[]): T;
}

export function createDice(seed: number): Dice {
  const random = seededRandom(seed);
  const unit = (): number => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32;
  const below = (end: number): number => Math.floor(unit() * end);
  return {
    below,
    chance: (share) => unit() < share,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('nothing to pick from');
      return list[below(list.length)] as T;
    },
  };
}
