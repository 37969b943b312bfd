/**
 * Checkpoints that a group signs: t of its n members together, none of them alone (FROST, RFC 9591). The signature is an ordinary Ed25519 one under
 * the group's key, so `openCheckpoint` reads the note and need not know that it was a group.
 *
 * @packageDocumentation
 */
export { createKeyCeremony, type GroupTerms, type KeyCeremony } from './ceremony.ts';
export { decodeGroupKey, encodeGroupKey, type GroupKey } from './group-key.ts';
export { createSigningSession, type SessionHead, type SigningSession } from './session.ts';
export { type GroupSigner, openGroupSigner } from './signer.ts';
