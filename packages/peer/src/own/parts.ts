import { concatBytes, type CryptoProvider, fromHex, PeerAiError, toHex } from '@peerai/core-protocol';
import { ownLimits } from './limits.ts';

/** What a device holds and what it forgot, ids in hex. */
export interface Ids {
  readonly held: readonly string[];
  readonly gone: readonly string[];
}
const idBytes = 32;
/** Between what is held and what is gone: no id. */
const between = new Uint8Array(idBytes);

/** The ids of each part, in order: a part has those with its number as first byte. */
export function partsOf({ held, gone }: Ids): readonly Ids[] {
  const parts = Array.from({ length: ownLimits.bucketsCount }, () => ({ held: [] as string[], gone: [] as string[] }));
  for (const id of held.toSorted()) parts[Number.parseInt(id.slice(0, 2), 16)]?.held.push(id);
  for (const id of gone.toSorted()) parts[Number.parseInt(id.slice(0, 2), 16)]?.gone.push(id);
  return parts;
}

/** A hash for each part, one after the other: equal where two devices hold and forgot the same. */
export function digestOf(crypto: CryptoProvider, parts: readonly Ids[]): Uint8Array {
  return concatBytes(
    ...parts.map(({ held, gone }) =>
      crypto.sha256(concatBytes(packed(held), between, packed(gone))).subarray(0, ownLimits.bucketHashBytes),
    ),
  );
}

/** Numbers of the parts that differ. Throws INVALID_FORMAT for a digest of another length. */
export function differing(mine: Uint8Array, theirs: Uint8Array | undefined): readonly number[] {
  if (theirs?.length !== mine.length) throw new PeerAiError('INVALID_FORMAT', 'this is no digest of a memory');
  return Array.from({ length: ownLimits.bucketsCount }, (_, part) => part).filter((part) =>
    mine
      .subarray(part * ownLimits.bucketHashBytes, (part + 1) * ownLimits.bucketHashBytes)
      .some((byte, place) => byte !== theirs[part * ownLimits.bucketHashBytes + place]),
  );
}

/** A part may have more ids than a call takes arguments. */
export function packed(ids: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(ids.length * idBytes);
  for (const [place, id] of ids.entries()) bytes.set(fromHex(id), place * idBytes);
  return bytes;
}

/** Throws INVALID_FORMAT for a length that is no count of ids. */
export function unpacked(bytes: Uint8Array = new Uint8Array()): string[] {
  if (bytes.length % idBytes !== 0) throw new PeerAiError('INVALID_FORMAT', 'ids have 32 bytes each');
  return Array.from({ length: bytes.length / idBytes }, (_, place) =>
    toHex(bytes.subarray(place * idBytes, (place + 1) * idBytes)),
  );
}
