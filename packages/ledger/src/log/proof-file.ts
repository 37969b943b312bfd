import { type CryptoProvider, PeerAiError, type PeerId, utf8 } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { noteFromBytes, openCheckpoint } from './note.ts';

/** What a proof file holds, before anything is checked. */
export interface ProofFile {
  readonly index: bigint;
  /** The leaf's sibling first. */
  readonly path: readonly Uint8Array[];
  /** The checkpoint, word for word. */
  readonly note: string;
  /** What the `extra` line carries; our files have the entry there. Nothing vouches for it until `verifyProof` has held it against the path. */
  readonly extra?: Uint8Array;
}
/** What a checked proof says: this entry stood at this place when its origin signed a log of this size. */
export interface Proven {
  readonly origin: PeerId;
  readonly index: bigint;
  readonly size: bigint;
  readonly entry: Entry;
}

const firstLine = 'c2sp.org/tlog-proof@v1';
const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `proof file: ${text}`);

const extraStart = 'extra ';

/** C2SP tlog-proof, UTF-8 text. Throws LIMIT_EXCEEDED for an `extra` that is longer than an entry. */
export function encodeProof({ index, path, note, extra }: ProofFile): Uint8Array {
  const extraLine = extra === undefined ? [] : [extraStart + toBase64(asLongAsAnEntry(extra))];
  return utf8([firstLine, ...extraLine, `index ${index}`, ...path.map(toBase64), '', note].join('\n'));
}

/** The same proof with the entry's bytes in its `extra` line, so that one file is all it takes. Throws what `decodeProof` throws. */
export function withEntry(file: Uint8Array, entry: Uint8Array): Uint8Array {
  return encodeProof({ ...decodeProof(file), extra: entry });
}

function asLongAsAnEntry(extra: Uint8Array): Uint8Array {
  if (extra.length > limits.entryBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', 'the extra line of a proof is longer than an entry can be');
  return extra;
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function decodeProof(file: Uint8Array): ProofFile {
  if (file.length > limits.proofBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the proof file is too long');
  const text = noteFromBytes(file);
  const end = text.indexOf('\n\n');
  if (end < 0) throw wrong('no empty line after the hashes');
  const [first, ...lines] = text.slice(0, end).split('\n');
  if (first !== firstLine) throw wrong(`the first line is not ${firstLine}`);
  const extraLine = lines[0]?.startsWith(extraStart) ? lines.shift() : undefined;
  const extra =
    extraLine === undefined ? {} : { extra: asLongAsAnEntry(fromBase64(extraLine.slice(extraStart.length))) };
  const [, index] = /^index (0|[1-9]\d{0,18})$/u.exec(lines.shift() ?? '') ?? [];
  if (index === undefined) throw wrong('no index line');
  if (lines.length > limits.pathHashesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'too many hashes in a proof');
  return { index: BigInt(index), path: lines.map(fromBase64), note: text.slice(end + 2), ...extra };
}

/**
 * Checks a proof with nothing but the file and the entry's bytes, which `decodeProof(file).extra` has where `withEntry` put them: the origin's key is in
 * its peer id.
 * It proves that the origin signed a log that holds the entry; that nobody was shown another log, only witnesses could.
 * Throws INVALID_FORMAT, INVALID_SIGNATURE, PROOF_WRONG, LIMIT_EXCEEDED, INVALID_VERSION.
 */
export function verifyProof(crypto: CryptoProvider, file: Uint8Array, entry: Uint8Array): Proven {
  const { index, path, note } = decodeProof(file);
  const { origin, size, root } = openCheckpoint(crypto, note);
  if (!verifyInclusion(crypto, { index, size, leaf: leafHash(crypto, entry), root, path })) {
    throw new PeerAiError('PROOF_WRONG', `this is not entry ${index} of the log that was signed`);
  }
  const opened = decodeEntry(entry);
  if (opened.origin !== origin || opened.seq !== index) {
    throw new PeerAiError('PROOF_WRONG', 'the entry names another log or another place');
  }
  return { origin, index, size, entry: opened };
}
