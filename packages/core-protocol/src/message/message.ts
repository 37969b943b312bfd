import { utf8 } from '../bytes.ts';
import { PeerAiError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { AeadName, PeerId } from '../ports/index.ts';

/** One message from peer to peer, every field of it signed. */
export interface SecureMessage {
  readonly version: 1;
  /** What it is about, `text.plain`; 1–64 bytes. */
  readonly kind: string;
  readonly sender: PeerId;
  readonly recipient: PeerId;
  /** 16 bytes, when it belongs to a conversation. */
  readonly session?: Uint8Array;
  /** Counted by the sender, per session. */
  readonly sequence: number;
  readonly timestampMs: number;
  /** 32 random bytes. */
  readonly nonce: Uint8Array;
  /** JSON. */
  readonly payload: unknown;
}

/** What stands around the payload, in clear and bound to it. */
export interface Header extends Omit<SecureMessage, 'payload' | 'version'> {
  readonly version: number;
  readonly aead?: AeadName;
}
/** A message as it travels: its payload is the JSON text's bytes, in clear or sealed. */
export interface Parts {
  readonly header: Header;
  readonly content: Uint8Array;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}
/** One way to write a message; signatures of one form never fit the other. */
export interface Form {
  /** Bytes that the AEAD binds the payload to. */
  bind(header: Header): Uint8Array;
  write(header: Header, content: Uint8Array, sign: (signed: Uint8Array) => Uint8Array): Uint8Array;
  /** Throws INVALID_FORMAT, INVALID_VERSION. */
  read(bytes: Uint8Array): Parts;
}

export const supportedVersions = [1] as const;
export const aeadNames = ['aes-256-gcm', 'chacha20-poly1305'] as const;

/** Throws INVALID_VERSION with what we read, so that the other side can say who must update. */
export function checkVersion(version: number): void {
  if (version === 1) return;
  throw new PeerAiError(
    'INVALID_VERSION',
    `message version ${version}; this program reads ${supportedVersions.join(', ')}`,
    {
      supported: supportedVersions,
    },
  );
}

/** Throws INVALID_FORMAT, naming the field. */
export function checkHeader(header: Header): Header {
  const { kind, session, sequence, timestampMs, nonce } = header;
  const kindBytes = utf8(kind).length;
  const field =
    kindBytes < 1 || kindBytes > limits.kindBytesMax || !kind.isWellFormed()
      ? 'kind'
      : session !== undefined && session.length !== 16
        ? 'session'
        : !isCount(sequence)
          ? 'sequence'
          : !isCount(timestampMs)
            ? 'timestampMs'
            : nonce.length === 32
              ? undefined
              : 'nonce';
  if (field !== undefined) throw new PeerAiError('INVALID_FORMAT', `message: ${field} is not as it must be`, { field });
  return header;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
