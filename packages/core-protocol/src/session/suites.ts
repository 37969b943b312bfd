import type { Identity } from '../identity/identity.ts';
import { publicKeyFromPeerId } from '../identity/peer-id.ts';
import type { Aead, CryptoProvider, PeerId } from '../ports/index.ts';

/** How frames are sealed: a key of 32 bytes, a nonce of 12. Both sides must know it by the same name. */
export interface CipherSuite extends Aead {
  readonly name: string;
}
/** How a side of a handshake proves who it is. */
export interface Authenticator {
  readonly name: string;
  /** A proof over exactly these bytes, at most `sessionLimits.proofBytesMax`. */
  prove(message: Uint8Array): Uint8Array;
  check(peer: PeerId, message: Uint8Array, proof: Uint8Array): boolean;
}

/** AES-256-GCM, then ChaCha20-Poly1305. */
export const standardSuites = (crypto: CryptoProvider): readonly CipherSuite[] =>
  (['aes-256-gcm', 'chacha20-poly1305'] as const).map((name) => ({ name, ...crypto.aead[name] }));

/** The signature of the key that is the peer id. */
export const ed25519Authenticator = (crypto: CryptoProvider, identity: Identity): Authenticator => ({
  name: 'ed25519',
  prove: (message) => identity.sign(message),
  check: (peer, message, proof) => crypto.ed25519.verify(proof, message, publicKeyFromPeerId(peer)),
});
