import { nobleCrypto } from '../crypto/noble.ts';
import { createIdentity, type Identity } from '../identity/identity.ts';
import type { CryptoProvider, Random } from '../ports/index.ts';
import {
  createInitiator,
  createResponder,
  ed25519Authenticator,
  type HandshakeDeps,
  handshakeEntropyBytes,
  type HandshakeEffect,
  type HandshakeEvent,
  type HandshakeForm,
  type HandshakeMachine,
  type HandshakeOptions,
  type HandshakeState,
  type Session,
  sessionOf,
  standardSuites,
} from '../session/index.ts';
import { seededRandom } from './random.ts';

export interface SessionPairOptions extends HandshakeOptions {
  readonly form?: HandshakeForm;
  readonly crypto?: CryptoProvider;
  readonly seed?: number;
  readonly nowMs?: number;
  /** Changes what one side brings. */
  readonly change?: (deps: HandshakeDeps, identity: Identity, side: 'initiator' | 'responder') => HandshakeDeps;
}
/** One side of a handshake: its machine, its state, and what it said to do. */
export interface Hand {
  readonly identity: Identity;
  readonly deps: HandshakeDeps;
  state(): HandshakeState;
  step(event: HandshakeEvent, nowMs: number): readonly HandshakeEffect[];
}

/** Two sides that have begun, and the offer between them. */
export function sessionHands(options: SessionPairOptions = {}): {
  readonly initiator: Hand;
  readonly responder: Hand;
  readonly offer: Uint8Array;
} {
  const { crypto = nobleCrypto, seed = 1, nowMs = 1_750_000_000_000, form = 'three', change } = options;
  const random = seededRandom(seed);
  const side = (name: 'initiator' | 'responder') => {
    const identity = createIdentity(crypto, random.bytes(32));
    const authenticators = [ed25519Authenticator(crypto, identity)];
    const deps = { crypto, self: identity.peer, authenticators, suites: standardSuites(crypto) };
    return { identity, deps: change?.(deps, identity, name) ?? deps };
  };
  const [asks, asked] = [side('initiator'), side('responder')];
  const peer = asked.identity.peer;
  const initiator = hand(asks, createInitiator(asks.deps, { ...options, peer, form }), random, nowMs);
  const responder = hand(asked, createResponder(asked.deps, options), random, nowMs);
  return { initiator: initiator.hand, responder: responder.hand, offer: initiator.message ?? new Uint8Array() };
}

/** Two ends of a session. */
export function sessionPair(options: SessionPairOptions = {}): {
  readonly initiator: Session;
  readonly responder: Session;
  readonly messages: readonly Uint8Array[];
} {
  const { initiator, responder, offer } = sessionHands(options);
  const messages: Uint8Array[] = [];
  for (let message: Uint8Array | undefined = offer; message !== undefined;) {
    messages.push(message);
    const to: Hand = messages.length % 2 === 1 ? responder : initiator;
    const effects: readonly HandshakeEffect[] = to.step(
      { type: 'receive', message },
      options.nowMs ?? 1_750_000_000_000,
    );
    message = sentIn(effects);
  }
  return { initiator: sessionOf(initiator.state()), responder: sessionOf(responder.state()), messages };
}

const sentIn = (effects: readonly HandshakeEffect[]): Uint8Array | undefined =>
  effects.find((effect) => effect.type === 'send')?.message;

function hand(
  who: { readonly identity: Identity; readonly deps: HandshakeDeps },
  machine: HandshakeMachine,
  random: Random,
  nowMs: number,
): { readonly hand: Hand; readonly message: Uint8Array | undefined } {
  let state = machine.initial;
  const step = (event: HandshakeEvent, atMs: number): readonly HandshakeEffect[] => {
    const [next, effects] = machine.step(state, event, atMs);
    state = next;
    return effects;
  };
  const message = sentIn(step({ type: 'begin', entropy: random.bytes(handshakeEntropyBytes) }, nowMs));
  return { hand: { ...who, state: () => state, step }, message };
}
