import { publicKeyFromPeerId } from '../identity/peer-id.ts';
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
import {
  type Envelope,
  type HandshakeForm,
  keyStep,
  laterForm,
  offerForm,
  readAnswer,
  readLater,
} from './handshake-wire.ts';
import { checkSameSession, exchangeOf } from './later.ts';
import { newSessionId } from './session-id.ts';

export interface InitiatorOptions extends HandshakeOptions {
  readonly peer: PeerId;
  /** Six steps cost a second round trip; the responder then does its part of ML-KEM only for a peer that has proved itself. */
  readonly form: HandshakeForm;
}

/** The side that asks. Begin it with entropy, give it what comes, do what it says in that order. Throws NOT_FOUND, LIMIT_EXCEEDED, REFUSED. */
export function createInitiator(deps: HandshakeDeps, options: InitiatorOptions): HandshakeMachine {
  if (options.peer === deps.self) throw sessionError('REFUSED', 'a session with oneself');
  const [authenticator] = deps.authenticators;
  if (authenticator === undefined || deps.suites.length === 0) {
    throw sessionError('NOT_FOUND', 'a handshake needs an authenticator and a cipher suite');
  }
  const side: Side = {
    initiator: true,
    begin(entropy, nowMs) {
      const session = newSessionId(entropy.subarray(0, 16));
      const x25519 = entropy.slice(16, 48);
      const seed = entropy.slice(48, 112);
      const kem = deps.crypto.mlKem768.keys(seed);
      const body = offerForm.encode({
        versions: [1],
        session,
        initiator: publicKeyFromPeerId(deps.self),
        responder: publicKeyFromPeerId(options.peer),
        suites: deps.suites.map(({ name }) => name),
        authenticator: authenticator.name,
        x25519: ephemeral.publicKey(x25519),
        mlKem768: kem.publicKey,
        challenge: entropy.slice(112, 144),
        timestampMs: nowMs,
      });
      erase(seed);
      const transcript = openTranscript(deps.crypto, options.form);
      const opened = { form: options.form, authenticator, peer: options.peer, transcript };
      const [exchange, message] = writeStep(deps.crypto, opened, 0, body);
      return [{ exchange, session, secrets: [x25519, kem.secretKey] }, message];
    },
    read: (work, step, envelope) => readStepOf(deps, work, step, envelope),
    write(work, step) {
      const body = laterForm.encode({ session: work.session ?? new Uint8Array(), ciphertext: undefined });
      const [exchange, message] = writeStep(deps.crypto, exchangeOf(work), step, body);
      return [{ ...work, exchange }, message];
    },
  };
  return handshakeMachine(deps, side, options);
}

/** Throws INVALID_FORMAT, WRONG_SESSION, CHALLENGE_INVALID. */
function readStepOf(deps: HandshakeDeps, work: Work, step: number, envelope: Envelope): Work {
  const exchange = exchangeOf(work);
  checkProof(deps.crypto, exchange, step, envelope);
  const answer = step === 1 ? readAnswer(envelope.body) : undefined;
  const { session, ciphertext } = answer ?? readLater(envelope.body);
  checkSameSession(work, session);
  if ((ciphertext !== undefined) !== (step === keyStep[exchange.form])) {
    throw sessionError('CHALLENGE_INVALID', 'a post-quantum ciphertext that is missing or misplaced');
  }
  const next = answer === undefined ? work : withAnswer(deps, work, answer);
  if (ciphertext === undefined) return { ...next, exchange: readStep(deps.crypto, exchange, step, envelope) };
  const [x25519, decapsulation] = work.secrets;
  if (x25519 === undefined || decapsulation === undefined || next.answered === undefined) {
    throw sessionError('INTERNAL', 'a key step without secrets');
  }
  const secrets = {
    x25519: ephemeral.shared(x25519, next.answered),
    mlKem768: deps.crypto.mlKem768.decapsulate(ciphertext, decapsulation),
  };
  const keys = deriveKeys(deps.crypto, secrets, withBody(deps.crypto, exchange, step, envelope.body));
  erase(...work.secrets);
  return { ...next, exchange: readStep(deps.crypto, { ...exchange, keys }, step, envelope) };
}

/** Only what was offered may be chosen. Throws CHALLENGE_INVALID. */
function withAnswer(
  { suites }: HandshakeDeps,
  work: Work,
  answer: { readonly version: number; readonly suite: string; readonly x25519: Uint8Array },
): Work {
  const suite = suites.find(({ name }) => name === answer.suite);
  if (answer.version !== 1 || suite === undefined) {
    throw sessionError('CHALLENGE_INVALID', 'the answer chose what was not offered');
  }
  return { ...work, suite, answered: answer.x25519 };
}
