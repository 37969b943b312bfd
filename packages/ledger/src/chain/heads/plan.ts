import type { PeerId } from '@peerai/core-protocol';

/** A member that would sign, and how many blocks the head had that it signed last; 0 for none. */
export interface Offer {
  readonly peer: PeerId;
  readonly signed: number;
  readonly commitment: Uint8Array;
}
interface Plan {
  /** What is signed, and the size that the proof leads from. */
  readonly size: number;
  readonly base: number;
  readonly signers: readonly Offer[];
}

/**
 * Who signs together: one request has one proof, so all that signed before must have signed the same head, or the very one that is asked for.
 * Where those are too few, a head that some have signed already is signed again with those that are behind, who can go on from there.
 */
export function planSession(offers: readonly Offer[], target: number, threshold: number): Plan | undefined {
  const sizes = [...new Set(offers.map(({ signed }) => signed))].filter((size) => size > 0).toSorted((a, b) => b - a);
  for (const size of [target, ...sizes]) {
    const bases = [...sizes.filter((base) => base < size), 0];
    for (const base of bases) {
      const signers = offers.filter(({ signed }) => signed === 0 || signed === base || signed === size);
      const isNew = size === target || signers.some(({ signed }) => signed < size);
      if (signers.length >= threshold && isNew) return { size, base, signers };
    }
  }
  return undefined;
}
