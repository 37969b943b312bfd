import { concatBytes, equalBytes, type Key, PeerAiError, wire } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { subtreeCount } from './merkle.ts';

/**
 * How a log lies in its room:
 * `e/<seq>` the leaf hash, then the entry's bytes · `t/<level>/<index>` 256 hashes of one tile · `head` the rest.
 */
export const entryRows = { from: 'e/', to: 'e0' } as const;
export const tileRows = { from: 't/', to: 't0' } as const;
export const headKey: Key = 'head';
/** Everything in the room: entries, the head, tiles, in this order. */
export const allRows = { from: '', to: '\u{10ffff}' } as const;

export const entryKey = (seq: bigint): Key => `e/${seq.toString(16).padStart(16, '0')}`;
export const tileKey = (level: number, index: bigint): Key =>
  `t/${level.toString(16)}/${index.toString(16).padStart(14, '0')}`;

export interface EntryRow {
  /** As it was stored: checked against the bytes only by `verify` and on opening. */
  readonly leaf: Uint8Array;
  readonly bytes: Uint8Array;
}
export const encodeEntryRow = ({ leaf, bytes }: EntryRow): Uint8Array => concatBytes(leaf, bytes);
export const decodeEntryRow = (value: Uint8Array): EntryRow => ({
  leaf: value.slice(0, 32),
  bytes: value.subarray(32),
});

/** One row that says how far the log goes, written with each commit. */
export interface Head {
  readonly version: 1;
  readonly size: bigint;
  readonly note: string;
  /** Hashes of the compact range, largest subtree first. */
  readonly range: readonly Uint8Array[];
  /** Leaf hash of the newest entry. */
  readonly last: Uint8Array;
}
const headCodec = wire.message({
  version: wire.uint32(1),
  size: wire.uint64(2),
  note: wire.string(3),
  range: wire.repeated(wire.bytes(4), limits.pathHashesMax),
  last: wire.bytes(5),
});

export const encodeHead = (head: Head): Uint8Array => headCodec.encode(head);

/** Only the one way of writing a head is read, so that every changed bit is seen. Throws INVALID_FORMAT, INVALID_VERSION. */
export function decodeHead(value: Uint8Array): Head {
  const { version, ...rest } = headCodec.decode(value);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `log version ${version}; this program reads 1`);
  const head: Head = { version, ...rest };
  const sizes = [head.last, ...head.range].every((hash) => hash.length === 32);
  if (!sizes || head.range.length !== subtreeCount(head.size) || !equalBytes(encodeHead(head), value)) {
    throw new PeerAiError('INVALID_FORMAT', 'the head of the log is malformed');
  }
  return head;
}
