/**
 * What peers say: identity, signed messages, access, requests and streams over a channel, and the ports a part may ask of the world.
 *
 * @packageDocumentation
 */
export * from './ports/index.ts';
export { bounded, orAborted, reasonOf } from './abort.ts';
export {
  byteName,
  compareUtf8,
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64Url,
  toHex,
  utf8,
  utf8Length,
} from './bytes.ts';
export { type CoreErrorCode, type ErrorDetails, PeerAiError } from './errors.ts';
export { isAsExpected, storeChanged } from './expected.ts';
export { nobleCrypto } from './crypto/noble.ts';
export { compareEmoji, type Fingerprint, fingerprint, type NamedEmoji } from './identity/fingerprint.ts';
export { createIdentity, type Identity } from './identity/identity.ts';
export { type KeyStatement, openKeyStatement, signRevocation, signSuccession } from './identity/key-statement.ts';
export { parsePeerId, peerIdFromPublicKey, publicKeyFromPeerId } from './identity/peer-id.ts';
export { openRecord, type PeerRecord, signRecord } from './identity/record.ts';
export { commitmentTo, openSigned, saltBytes, sealSigned, signedBytes } from './identity/signed.ts';
export { limits } from './limits.ts';
export {
  type MessageDraft,
  type MessageForm,
  type MessageKey,
  openMessage,
  type ReplaySnapshot,
  ReplayWindow,
  readStrictJson,
  sealMessage,
  type SecureMessage,
} from './message/index.ts';
export {
  type CallContext,
  type CallDeps,
  callMethod,
  type CallOptions,
  type Method,
  type MethodHandler,
  serveMethod,
  streamMethod,
} from './rpc/index.ts';
export { checkWithSecret, openWithSecret, sealWithSecret } from './psk/envelope.ts';
export { type RelayAnswer, relayInfoMethod, type RelayQuestion } from './relay/relay-info.ts';
export { type BucketSize, createTokenBucket, type TokenBucket } from './token-bucket.ts';
export { type UsageBounds, usageBounds } from './usage/usage-bounds.ts';
export * as wire from './wire/index.ts';
export type { Codec } from './wire/index.ts';
