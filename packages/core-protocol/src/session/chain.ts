import { utf8 } from '../bytes.ts';
import type { CryptoProvider } from '../ports/index.ts';

/** One direction's key and what the next one comes from. Whoever drops it erases it. */
export interface Chain {
  readonly epoch: number;
  readonly key: Uint8Array;
  readonly next: Uint8Array;
}
const info = utf8('peerai/session/1/ratchet');
const none = new Uint8Array();

/** The key of this epoch and the secret of the next: one way, so a key does not tell the one before. */
export function chainFrom(crypto: CryptoProvider, secret: Uint8Array, epoch: number): Chain {
  const both = crypto.hkdfSha256(secret, none, info, 64);
  const chain = { epoch, key: both.slice(0, 32), next: both.slice(32) };
  erase(both);
  return chain;
}

export function erase(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** 4 bytes of direction (1 from the initiator, 2 from the responder), 8 of sequence, big-endian. */
export function nonceOf(fromInitiator: boolean, sequence: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(0, fromInitiator ? 1 : 2);
  view.setUint32(4, Math.floor(sequence / 2 ** 32));
  view.setUint32(8, sequence % 2 ** 32);
  return nonce;
}
