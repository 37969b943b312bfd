import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { peerIdFromPublicKey } from './peer-id.ts';

/** Who I am: one Ed25519 key, which is also the libp2p peer id. */
export interface Identity {
  readonly peer: PeerId;
  readonly publicKey: Uint8Array;
  /** Plain Ed25519 over exactly these bytes; callers put their own tag in front. 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** @param seed - 32 bytes from Random or a key file; it stays inside the returned object. */
export function createIdentity(crypto: CryptoProvider, seed: Uint8Array): Identity {
  const secret = seed.slice();
  const publicKey = crypto.ed25519.publicKey(secret);
  return {
    peer: peerIdFromPublicKey(publicKey),
    publicKey,
    sign: (message) => crypto.ed25519.sign(message, secret),
  };
}
