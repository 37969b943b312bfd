import type { PeerId } from '@peerai/core-protocol';
import type { Entry } from './entry.ts';

/** How much of a document a peer has: the last place of each life of each author. */
export type Vector = ReadonlyMap<PeerId, ReadonlyMap<number, number>>;
export type OpenVector = Map<PeerId, Map<number, number>>;

export const placeIn = (vector: Vector, author: PeerId, life: number): number => vector.get(author)?.get(life) ?? -1;

/** Known, next in line, standing for what is missing, or beyond a gap that must be filled first. */
export function standing(vector: Vector, { author, life, place, covers }: Entry): 'known' | 'next' | 'gap' {
  const last = placeIn(vector, author, life);
  if (place <= last) return 'known';
  if (place === last + 1) return 'next';
  return covers.some((mark) => mark.life === life && mark.place >= place - 1) ? 'next' : 'gap';
}

/** Notes an entry, and what it replaces. */
export function note(vector: OpenVector, { author, life, place, covers }: Entry): void {
  const lives = vector.get(author) ?? new Map<number, number>();
  vector.set(author, lives);
  for (const mark of [...covers, { life, place }])
    lives.set(mark.life, Math.max(mark.place, lives.get(mark.life) ?? -1));
}
