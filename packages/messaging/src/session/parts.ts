import type { Clock, CryptoProvider, Identity, PeerId, Random } from '@peerai/core-protocol';
import {
  type Authenticator,
  type CipherSuite,
  ed25519Authenticator,
  type HandshakeDeps,
  type HandshakeMachine,
  type HandshakeState,
  type Session,
  type SessionOptions,
  standardSuites,
} from '@peerai/core-protocol/session';

export interface SessionRoomDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}
/** What an embedding program may add or set. */
export interface SessionRoomOptions extends SessionOptions {
  /** Preferred to the built-in ones. A session comes about where both sides have one of the same name. */
  readonly suites?: readonly CipherSuite[];
  /** The first one proves who we are in handshakes that we begin; any of them, and our key's signature, is taken from others. */
  readonly authenticators?: readonly Authenticator[];
  /** How many sessions and handshakes are held; `sessionRoomLimits` unless said. */
  readonly bounds?: Partial<
    Record<'openMax' | 'openPerPeerMax' | 'halfOpenMax' | 'halfOpenPerPeerMax' | 'dialedMax', number>
  >;
}
/** An open session for people. */
export interface SessionFacts {
  /** UUID v4. */
  readonly id: string;
  readonly peer: PeerId;
  readonly role: 'initiator' | 'responder';
  readonly suite: string;
  readonly expiresMs: number;
}

export const handshakeDeps = (
  { crypto, identity }: SessionRoomDeps,
  { suites = [], authenticators = [] }: SessionRoomOptions,
): HandshakeDeps => ({
  crypto,
  self: identity.peer,
  authenticators: [...authenticators, ed25519Authenticator(crypto, identity)],
  suites: [...suites, ...standardSuites(crypto)],
});

export const factsOf = ({ id, peer, suite, expiresMs }: Session, role: SessionFacts['role']): SessionFacts => ({
  id,
  peer,
  role,
  suite,
  expiresMs,
});

/** Overwrites what a handshake that is given up has in secret: past its deadline the machine does so itself. */
export function giveUp(machine: HandshakeMachine, state: HandshakeState): void {
  if (state.phase === 'waiting') machine.step(state, { type: 'tick' }, Number.MAX_SAFE_INTEGER);
}
