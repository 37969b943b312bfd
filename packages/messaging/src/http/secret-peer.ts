import { createIdentity, type CryptoProvider, type PeerId, utf8 } from '@peerai/core-protocol';

/**
 * Who a holder of the shared secret is here when it calls itself `name`: a peer id out of both. Everybody with the secret could work it out and be
 * it, which is what the secret proves and no more.
 */
export function secretPeer(crypto: CryptoProvider, secret: string, name: string): PeerId {
  const seed = crypto.hkdfSha256(utf8(secret), utf8('peerai/inbox/1'), utf8(name), 32);
  return createIdentity(crypto, seed).peer;
}
