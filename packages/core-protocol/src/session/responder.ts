import { equalBytes } from '../bytes.ts';
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../identity/peer-id.ts';
import { limits } from '../limits.ts';
import type { PeerId } from '../ports/index.ts';
import { erase } from './chain.ts';
import { sessionError } from './errors.ts';
import { checkProof, deriveKeys, ephemeral, openTranscript, readStep, withBody, writeStep } from './exchange.ts';
import {
  type HandshakeDeps,
  type HandshakeMachine,
  handshakeMachine,
  type HandshakeOptions,
  type Side,
  type Work,
} from './handshake.ts';
import { answerForm, type Envelope, keyStep, laterForm, readLater, readOffer } from './handshake-wire.ts';
import { checkSameSession, exchangeOf } from './later.ts';

export interface ResponderOptions extends HandshakeOptions {
  /** The only peer that may ask; anyone when absent. */
  readonly peer?: PeerId;
}

/** The side that is asked, in either form. Begin it with entropy, give it what comes. Throws NOT_FOUND, LIMIT_EXCEEDED. */
export function createResponder(deps: HandshakeDeps, options: ResponderOptions = {}): HandshakeMachine {
  if (deps.authenticators.length === 0 || deps.suites.length === 0) {
    throw sessionError('NOT_FOUND', 'a handshake needs an authenticator and a cipher suite');
  }
  const side: Side = {
    initiator: false,
    begin: (entropy) => [{ secrets: [entropy.slice(0, 32), entropy.slice(32, 64), entropy.slice(64, 96)] }, undefined],
    read: (work, step, envelope, nowMs) =>
      step === 0 ? readFirst(deps, options, work, envelope, nowMs) : readResponse(deps, work, step, envelope),
    write: (work, step) => writeStepOf(deps, work, step),
  };
  return handshakeMachine(deps, side, options);
}

/** Throws INVALID_FORMAT, WRONG_RECIPIENT, UNKNOWN_SENDER, INVALID_VERSION, CLOCK_SKEW, REFUSED, CHALLENGE_INVALID. */
function readFirst(
  deps: HandshakeDeps,
  options: ResponderOptions,
  work: Work,
  envelope: Envelope,
  nowMs: number,
): Work {
  const offer = readOffer(envelope.body);
  const peer = peerIdFromPublicKey(offer.initiator);
  if (!equalBytes(offer.responder, publicKeyFromPeerId(deps.self))) {
    throw sessionError('WRONG_RECIPIENT', 'an offer to another peer');
  }
  if (peer === deps.self || (options.peer !== undefined && options.peer !== peer)) {
    throw sessionError('UNKNOWN_SENDER', 'an offer of another peer than the one awaited');
  }
  if (!offer.versions.includes(1)) throw sessionError('INVALID_VERSION', 'no common version', { supported: [1] });
  if (Math.abs(nowMs - offer.timestampMs) > limits.clockSkewMsMax) {
    throw sessionError('CLOCK_SKEW', 'an offer of another time', { timestampMs: offer.timestampMs });
  }
  const authenticator = deps.authenticators.find(({ name }) => name === offer.authenticator);
  const suite = offer.suites.map((wanted) => deps.suites.find(({ name }) => name === wanted)).find(Boolean);
  if (authenticator === undefined || suite === undefined) {
    throw sessionError('REFUSED', 'no common cipher suite, or a proof that nobody here can check');
  }
  const form = envelope.step === 'handshake' ? 'three' : 'six';
  const opened = { form, authenticator, peer, transcript: openTranscript(deps.crypto, form) } as const;
  checkProof(deps.crypto, opened, 0, envelope);
  const exchange = readStep(deps.crypto, opened, 0, envelope);
  const { session, x25519, mlKem768 } = offer;
  return { ...work, exchange, session, suite, offered: { x25519, mlKem768 } };
}

/** Throws INVALID_FORMAT, WRONG_SESSION, CHALLENGE_INVALID. */
function readResponse(deps: HandshakeDeps, work: Work, step: number, envelope: Envelope): Work {
  const exchange = exchangeOf(work);
  checkProof(deps.crypto, exchange, step, envelope);
  const { session, ciphertext } = readLater(envelope.body);
  checkSameSession(work, session);
  if (ciphertext !== undefined) throw sessionError('CHALLENGE_INVALID', 'a ciphertext of the initiator');
  return { ...work, exchange: readStep(deps.crypto, exchange, step, envelope) };
}

function writeStepOf(deps: HandshakeDeps, work: Work, step: number): readonly [Work, Uint8Array] {
  const exchange = exchangeOf(work);
  const [x25519, challenge, seed] = work.secrets;
  const { session, suite, offered } = work;
  if (!x25519 || !challenge || !seed || !session || !suite || !offered) {
    throw sessionError('INTERNAL', 'an answer without an offer');
  }
  const isKeyStep = step === keyStep[exchange.form];
  const encapsulated = isKeyStep ? deps.crypto.mlKem768.encapsulate(offered.mlKem768, seed) : undefined;
  const ciphertext = encapsulated?.ciphertext;
  const body =
    step === 1
      ? answerForm.encode({
          version: 1,
          session,
          suite: suite.name,
          x25519: ephemeral.publicKey(x25519),
          challenge,
          ciphertext,
        })
      : laterForm.encode({ session, ciphertext });
  if (encapsulated === undefined) return written(deps, work, step, body);
  const secrets = { x25519: ephemeral.shared(x25519, offered.x25519), mlKem768: encapsulated.secret };
  const keys = deriveKeys(deps.crypto, secrets, withBody(deps.crypto, exchange, step, body));
  erase(x25519, seed);
  return written(deps, { ...work, exchange: { ...exchange, keys } }, step, body);
}

function written(deps: HandshakeDeps, work: Work, step: number, body: Uint8Array): readonly [Work, Uint8Array] {
  const [exchange, message] = writeStep(deps.crypto, exchangeOf(work), step, body);
  return [{ ...work, exchange }, message];
}
