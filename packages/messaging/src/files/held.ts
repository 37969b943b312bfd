import { fromHex, toHex } from '@peerai/core-protocol';

/** Which pieces are here: a bit each, the first one lowest in the first byte; as hex, for a row. */
export const noneHeld = (pieces: number): string => toHex(new Uint8Array(Math.ceil(pieces / 8)));

export function withPiece(held: string, index: number): string {
  const bits = fromHex(held);
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return toHex(bits);
}

/** Lowest first. */
export function missingOf(held: string, pieces: number): readonly number[] {
  const bits = fromHex(held);
  return Array.from({ length: pieces }, (_, index) => index).filter(
    (index) => ((bits[index >> 3] ?? 0) & (1 << (index & 7))) === 0,
  );
}
