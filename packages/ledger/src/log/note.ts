import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  fromUtf8,
  type Identity,
  PeerAiError,
  type PeerId,
  parsePeerId,
  publicKeyFromPeerId,
  utf8,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { fromBase64, toBase64 } from './base64.ts';
import type { Hasher } from './merkle.ts';

/** The head of a log: C2SP tlog-checkpoint. The key's name is the origin, and both are the peer id. */
export interface TreeHead {
  readonly origin: PeerId;
  readonly size: bigint;
  readonly root: Uint8Array;
}

const ed25519Type = 0x01;
const wrong = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `signed note: ${text}`);

/** SHA-256(name ‖ 0x0A ‖ type ‖ public key), its first 4 bytes. C2SP signed-note. @param type - 0x01 unless said: Ed25519 over the note's text. */
export function noteKeyId(crypto: Hasher, name: string, publicKey: Uint8Array, type = ed25519Type): Uint8Array {
  return crypto.sha256(utf8(name), Uint8Array.of(0x0a, type), publicKey).slice(0, 4);
}

/** The three lines that are signed. */
export function checkpointText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Three lines, an empty one, one signature line: the origin's own, over `checkpointText`. */
export function checkpointNote(crypto: Hasher, head: TreeHead, signature: Uint8Array): string {
  const keyId = noteKeyId(crypto, head.origin, publicKeyFromPeerId(head.origin));
  return `${checkpointText(head)}\n${signatureLine({ name: head.origin, blob: concatBytes(keyId, signature) })}`;
}

export function signCheckpoint(crypto: Hasher, identity: Identity, size: bigint, root: Uint8Array): string {
  const head = { origin: identity.peer, size, root };
  return checkpointNote(crypto, head, identity.sign(utf8(checkpointText(head))));
}

/**
 * Reads a checkpoint and checks its origin's own signature; signatures of others are skipped, as the format asks.
 * Throws INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED.
 */
export function openCheckpoint(crypto: CryptoProvider, note: string): TreeHead {
  if (utf8(note).length > limits.noteBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the note is too long');
  const { text, signatures } = splitNote(note);
  const head = readHead(text);
  const publicKey = publicKeyFromPeerId(head.origin);
  const keyId = noteKeyId(crypto, head.origin, publicKey);
  const own = signatures.filter(({ name, blob }) => name === head.origin && equalBytes(blob.subarray(0, 4), keyId));
  const valid = own.every(({ blob }) => crypto.ed25519.verify(blob.slice(4), utf8(text), publicKey));
  if (own.length === 0 || !valid) {
    throw new PeerAiError('INVALID_SIGNATURE', 'the checkpoint is not signed by the peer it names');
  }
  return head;
}

/** The same for bytes. Throws as `openCheckpoint`. */
export function noteFromBytes(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw wrong('not UTF-8');
  }
}

/** One line under a note: who, and key id ‖ signature. */
export interface NoteSignature {
  readonly name: string;
  readonly blob: Uint8Array;
}
export const signatureLine = ({ name, blob }: NoteSignature): string => `— ${name} ${toBase64(blob)}\n`;

/** The text that is signed, and all signature lines, none of them checked. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function splitNote(note: string): { readonly text: string; readonly signatures: readonly NoteSignature[] } {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw wrong('no empty line before the signatures');
  // oxlint-disable-next-line no-control-regex -- the format forbids exactly these
  if (/[\u0000-\u0009\u000b-\u001f]/u.test(note)) throw wrong('a control character');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > limits.noteSignaturesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'too many signatures in a note');
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

function readSignature(line: string): NoteSignature {
  const [dash, name, base64, ...more] = line.split(' ');
  if (dash !== '—' || !name || base64 === undefined || more.length > 0) throw wrong('a malformed signature line');
  const blob = fromBase64(base64);
  if (blob.length < 5) throw wrong('a signature without bytes');
  return { name, blob };
}

function readHead(text: string): TreeHead {
  const [origin = '', size = '', root = '', ...more] = text.slice(0, -1).split('\n');
  if (more.length > 0) throw wrong('extension lines are not used here');
  if (!/^(?:0|[1-9]\d{0,18})$/u.test(size)) throw wrong('the size is not a decimal number');
  const hash = fromBase64(root);
  if (hash.length !== 32) throw wrong('a root hash has 32 bytes');
  return { origin: parsePeerId(origin), size: BigInt(size), root: hash };
}
