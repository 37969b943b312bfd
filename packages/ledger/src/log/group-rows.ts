import { type EntryBody, utf8 } from '@peerai/core-protocol';

/** What stands before the entry in its row: its hash. */
const hashBytes = 32;
/** An entry without origin, kind and body at most: tags, lengths, version, place, previous hash and time. */
const frameBytesMax = 66;

/** The next entry's row, for the place after the one before. */
export type NextRow = (entry: EntryBody, seq: bigint, previous: Uint8Array) => Uint8Array;

/**
 * Rows of entries that are written together, in one piece of memory, each behind 32 zeros that its hash takes the place of. The bytes are those of
 * `encodeEntry`: of entries that follow each other little differs, and memory of its own for each of them costs more than writing it.
 *
 * @param origin - the writer's key.
 * @param entries - all of them, to know how much memory they need.
 */
export function groupRows(origin: Uint8Array, entries: readonly EntryBody[], timeMs: number): NextRow {
  let most = 0;
  // A UTF-16 unit of the kind is at most three bytes of UTF-8.
  for (const { kind, body } of entries)
    most += hashBytes + frameBytesMax + origin.length + kind.length * 3 + body.length;
  const memory = new Uint8Array(most);
  let at = 0;
  /** A protobuf tag, then seven bits a byte, the lowest first; the highest bit of a byte says that more follow. */
  const number = (tag: number, value: bigint): void => {
    memory[at] = tag;
    at += 1;
    let rest = value;
    for (; rest > 0x7f_ff_ff_ffn; rest >>= 7n) {
      memory[at] = Number(rest & 0x7fn) | 0x80;
      at += 1;
    }
    let low = Number(rest);
    for (; low > 0x7f; low >>= 7) {
      memory[at] = (low & 0x7f) | 0x80;
      at += 1;
    }
    memory[at] = low;
    at += 1;
  };
  const bytes = (tag: number, value: Uint8Array): void => {
    number(tag, BigInt(value.length));
    memory.set(value, at);
    at += value.length;
  };
  return ({ kind, body }, seq, previous) => {
    const start = at;
    at += hashBytes;
    // The number of the field in `encodeEntry`, and whether a varint (0) or bytes with their length (2) follow.
    number((1 << 3) | 0, 1n);
    bytes((2 << 3) | 2, origin);
    number((3 << 3) | 0, seq);
    bytes((4 << 3) | 2, previous);
    bytes((5 << 3) | 2, utf8(kind));
    number((6 << 3) | 0, BigInt(timeMs));
    bytes((7 << 3) | 2, body);
    return memory.subarray(start, at);
  };
}
