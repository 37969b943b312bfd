import {
  type CryptoProvider,
  fromHex,
  type Identity,
  type PeerId,
  publicKeyFromPeerId,
  signedBytes,
  wire,
} from '@peerai/core-protocol';

const consentTag = 'peerai/governance-consent/1';
const codec = wire.message({ group: wire.bytes(1), peer: wire.bytes(2) });

const consentBytes = (group: string, peer: PeerId): Uint8Array =>
  signedBytes(consentTag, codec.encode({ group: fromHex(group), peer: publicKeyFromPeerId(peer) }));

/** A peer's word that it wants to be a member of this group (hex): nobody is put into one. 64 bytes. */
export const signConsent = (identity: Identity, group: string): Uint8Array =>
  identity.sign(consentBytes(group, identity.peer));

export const isConsent = (crypto: CryptoProvider, group: string, peer: PeerId, consent: Uint8Array): boolean =>
  crypto.ed25519.verify(consent, consentBytes(group, peer), publicKeyFromPeerId(peer));
