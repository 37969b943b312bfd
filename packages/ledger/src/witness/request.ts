import { PeerAiError, utf8 } from '@peerai/core-protocol';
import { fromBase64, toBase64 } from '../log/base64.ts';
import { noteFromBytes } from '../log/note.ts';
import { witnessLimits as limits } from './limits.ts';

/** C2SP tlog-witness, `add-checkpoint`: "your last head of this log had `oldSize` entries; this one follows it". */
export interface AddCheckpoint {
  readonly oldSize: bigint;
  /** RFC 6962 consistency from `oldSize`; empty where that is 0 or the same size. */
  readonly path: readonly Uint8Array[];
  readonly note: string;
}
const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `add-checkpoint: ${text}`);

export function encodeAddCheckpoint({ oldSize, path, note }: AddCheckpoint): Uint8Array {
  return utf8([`old ${oldSize}`, ...path.map(toBase64), '', note].join('\n'));
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. The note is not opened. */
export function decodeAddCheckpoint(bytes: Uint8Array): AddCheckpoint {
  if (bytes.length > limits.requestBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the request is too long');
  const text = noteFromBytes(bytes);
  const end = text.indexOf('\n\n');
  if (end < 0) throw wrong('no empty line after the hashes');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  const [, oldSize] = /^old (0|[1-9]\d{0,18})$/u.exec(first) ?? [];
  if (oldSize === undefined) throw wrong('the first line is not "old" and a size');
  if (lines.length > limits.proofHashesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'too many hashes in a request');
  return { oldSize: BigInt(oldSize), path: lines.map(fromBase64), note: text.slice(end + 2) };
}
