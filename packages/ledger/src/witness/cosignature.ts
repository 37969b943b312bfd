import {
  concatBytes,
  type CryptoProvider,
  equalBytes,
  type Identity,
  PeerAiError,
  type PeerId,
  parsePeerId,
  publicKeyFromPeerId,
  utf8,
} from '@peerai/core-protocol';
import { noteKeyId, type NoteSignature, signatureLine, splitNote } from '../log/note.ts';
import { witnessLimits as limits } from './limits.ts';

/** Somebody who saw this checkpoint follow all those of its log he had seen before, and when. */
export interface Cosigner {
  readonly witness: PeerId;
  /** Seconds since 1970 by the witness's clock. */
  readonly timeS: number;
}

/** Ed25519 over a time and the note's text: C2SP tlog-cosignature, `cosignature/v1`. */
export const cosignatureType = 0x04;
const blobBytes = 4 + 8 + 64;

/** What a witness signs. @param text - the checkpoint's three lines, each with its newline. */
export const cosignedText = (text: string, timeS: number): string => `cosignature/v1\ntime ${timeS}\n${text}`;

/** The line a witness adds under this note, its newline included. The note's own signature is the caller's to check. Throws INVALID_FORMAT. */
export function cosign(crypto: CryptoProvider, identity: Identity, note: string, timeS: number): string {
  const { text } = splitNote(note);
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timeS));
  const keyId = noteKeyId(crypto, identity.peer, identity.publicKey, cosignatureType);
  const signature = identity.sign(utf8(cosignedText(text, timeS)));
  return signatureLine({ name: identity.peer, blob: concatBytes(keyId, time, signature) });
}

/** A cosignature of this key over this text, its time; nothing for a line that says something else. Throws INVALID_SIGNATURE for a forged one. */
export function openCosignature(
  crypto: CryptoProvider,
  text: string,
  { name, blob }: NoteSignature,
  publicKey: Uint8Array,
): number | undefined {
  const keyId = noteKeyId(crypto, name, publicKey, cosignatureType);
  if (blob.length !== blobBytes || !equalBytes(blob.subarray(0, 4), keyId)) return undefined;
  const time = new DataView(blob.buffer, blob.byteOffset + 4, 8).getBigUint64(0);
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) throw new PeerAiError('INVALID_FORMAT', 'a cosignature of no time');
  const timeS = Number(time);
  if (!crypto.ed25519.verify(blob.slice(12), utf8(cosignedText(text, timeS)), publicKey))
    throw new PeerAiError('INVALID_SIGNATURE', `the cosignature of ${name} is not over this checkpoint`);
  return timeS;
}

/**
 * Peers that cosigned this note, each once with its newest time. Lines of keys that are no peer ids say nothing here and are skipped, as the format asks.
 * Throws INVALID_SIGNATURE for a line that names a peer and was not signed by it, INVALID_FORMAT, LIMIT_EXCEEDED.
 */
export function readCosigners(crypto: CryptoProvider, note: string): readonly Cosigner[] {
  const { text, signatures } = splitNote(note);
  const newest = new Map<PeerId, number>();
  for (const signature of signatures) {
    const witness = peerOf(signature.name);
    if (witness === undefined) continue;
    const timeS = openCosignature(crypto, text, signature, publicKeyFromPeerId(witness));
    if (timeS !== undefined) newest.set(witness, Math.max(timeS, newest.get(witness) ?? 0));
  }
  return [...newest].map(([witness, timeS]) => ({ witness, timeS }));
}

/**
 * The note with these lines under it: one of each witness, the last one given; where they are too many the first ones stay.
 * Lines are taken as they are; check them before. Throws INVALID_FORMAT.
 */
export function withCosignatures(note: string, lines: readonly string[]): string {
  const { text, signatures } = splitNote(note);
  const [own, ...others] = signatures;
  if (own === undefined) throw new PeerAiError('INVALID_FORMAT', 'a note without a signature');
  const added = lines.flatMap((line) => splitNote(`${text}\n${line}`).signatures);
  const byName = new Map([...others, ...added].map((signature) => [signature.name, signature]));
  const kept = [...byName.values()].slice(0, limits.cosignaturesMax);
  return `${text}\n${[own, ...kept].map(signatureLine).join('')}`;
}

function peerOf(name: string): PeerId | undefined {
  try {
    return parsePeerId(name);
  } catch {
    return undefined;
  }
}
