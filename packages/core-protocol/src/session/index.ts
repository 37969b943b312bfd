/**
 * Sessions end to end: a signed hybrid handshake (X25519 and ML-KEM-768) in three or six steps, then frames that are sealed, numbered and
 * taken once. Machines and values: no time, entropy, disk or network of its own.
 *
 * @packageDocumentation
 */
export type { SessionErrorCode } from './errors.ts';
export {
  type HandshakeDeps,
  type HandshakeEffect,
  handshakeEntropyBytes,
  type HandshakeEvent,
  type HandshakeMachine,
  type HandshakeOptions,
  type HandshakeState,
  sessionOf,
} from './handshake.ts';
export type { HandshakeForm } from './handshake-wire.ts';
export { createInitiator, type InitiatorOptions } from './initiator.ts';
export { sessionLimits } from './limits.ts';
export { createResponder, type ResponderOptions } from './responder.ts';
export {
  type OpenedFrame,
  restoreSession,
  type SealedFrame,
  type Session,
  type SessionDeps,
  type SessionOptions,
} from './session.ts';
export { parseSessionId } from './session-id.ts';
export { type Authenticator, type CipherSuite, ed25519Authenticator, standardSuites } from './suites.ts';
