import { type CryptoProvider, equalBytes, PeerAiError, type PeerId, type Store, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { damaged, orDamaged } from '../log/damaged.ts';
import { noPrevious } from '../log/entry.ts';
import { loadEdge } from '../log/load.ts';
import { emptyRange, rootOf, verifyConsistency } from '../log/merkle.ts';
import { openCheckpoint, type TreeHead } from '../log/note.ts';
import { decodeHead, type Head, headKey } from '../log/rows.ts';
import type { LogState } from '../log/state.ts';

/**
 * A copy lies in a room of its own as a log does (`log/rows.ts`), with one row more: `part`, what leads from its entries to a checkpoint that speaks of more.
 */
export const partKey = 'part';
const part = wire.message({
  version: wire.uint32(1),
  /** RFC 6962 consistency from the entries that are here to the checkpoint; empty when all are. */
  path: wire.repeated(wire.bytes(2), limits.pathHashesMax),
  /** Bytes of the entries that are here. */
  bytes: wire.uint53(3),
});
export type CopyPart = ReturnType<typeof part.decode>;
export const encodePart = (value: Omit<CopyPart, 'version'>): Uint8Array => part.encode({ version: 1, ...value });

/** What is here of another peer's log, and the newest checkpoint it was checked against. */
export interface CopyState extends LogState {
  readonly head: TreeHead;
  readonly path: readonly Uint8Array[];
  /** Bytes of the entries. */
  readonly bytes: number;
}

export function emptyCopy(crypto: CryptoProvider, origin: PeerId): CopyState {
  const head = { origin, size: 0n, root: rootOf(crypto, emptyRange) };
  return { range: emptyRange, tails: [], last: noPrevious, note: '', head, path: [], bytes: 0 };
}

/** Whether the entries that are here are the first of what the checkpoint speaks of. */
export function fits(
  crypto: CryptoProvider,
  { range, head, path }: Pick<CopyState, 'range' | 'head' | 'path'>,
): boolean {
  const root = rootOf(crypto, range);
  if (range.size === head.size) return path.length === 0 && equalBytes(root, head.root);
  return verifyConsistency(crypto, { size1: range.size, size2: head.size, root1: root, root2: head.root, path });
}

/** The stored copy, its edge checked as `openLedger` checks our own. Throws LEDGER_DAMAGED. */
export async function loadCopy(crypto: CryptoProvider, store: Store, origin: PeerId): Promise<CopyState | undefined> {
  const value = await store.get(headKey);
  if (value === undefined) return undefined;
  const head: Head = orDamaged(0n, () => decodeHead(value));
  const signed = orDamaged(0n, () => openCheckpoint(crypto, head.note));
  const stored = await store.get(partKey);
  const { path, bytes } = orDamaged(0n, () => decodePart(stored));
  const edge = await loadEdge(crypto, store, head, origin);
  const state = { ...edge, note: head.note, head: signed, path, bytes };
  if (signed.origin !== origin || !fits(crypto, state)) throw damaged(0n, 'the copy is not what its checkpoint says');
  return state;
}

function decodePart(value: Uint8Array | undefined): CopyPart {
  const decoded = part.decode(value ?? new Uint8Array());
  if (decoded.version !== 1) throw new PeerAiError('INVALID_VERSION', `copy version ${decoded.version}`);
  return decoded;
}
