import { utf8 } from '../bytes.ts';
import { bytes, type FieldTypes, message, oneOf, optional, repeated, string, uint32, uint53 } from '../wire/index.ts';
import { sessionError } from './errors.ts';
import { sessionLimits } from './limits.ts';
import { checkSessionId } from './session-id.ts';

/** The steps in their order; the initiator sends the first, then both take turns. Names of the peer protocol's v1.0 and v1.1. */
export const handshakeSteps = {
  three: ['handshake', 'handshake_ack', 'handshake_confirm'],
  six: [
    'handshake_init',
    'handshake_init_ack',
    'challenge_response',
    'session_established',
    'session_confirm',
    'ready',
  ],
} as const;
export type HandshakeForm = keyof typeof handshakeSteps;
/** Place of the step that carries the responder's ML-KEM ciphertext; from there on both sides have the keys. */
export const keyStep: Readonly<Record<HandshakeForm, number>> = { three: 1, six: 3 };

const stepNames = [...handshakeSteps.three, ...handshakeSteps.six] as const;
export type StepName = (typeof stepNames)[number];
const envelopeFields = {
  step: oneOf(1, stepNames),
  body: bytes(2),
  proof: bytes(3),
  confirmation: optional(bytes(4)),
};
const offerFields = {
  versions: repeated(uint32(1), sessionLimits.versionsMax),
  session: bytes(2),
  initiator: bytes(3),
  responder: bytes(4),
  suites: repeated(string(5), sessionLimits.suitesMax),
  authenticator: string(6),
  x25519: bytes(7),
  mlKem768: bytes(8),
  challenge: bytes(9),
  timestampMs: uint53(10),
};
const answerFields = {
  version: uint32(1),
  session: bytes(2),
  suite: string(3),
  x25519: bytes(4),
  challenge: bytes(5),
  ciphertext: optional(bytes(6)),
};
const laterFields = { session: bytes(1), ciphertext: optional(bytes(2)) };

export type Envelope = FieldTypes<typeof envelopeFields>;
export type Offer = Omit<FieldTypes<typeof offerFields>, 'versions' | 'suites'> & {
  readonly versions: readonly number[];
  readonly suites: readonly string[];
};
export type Answer = FieldTypes<typeof answerFields>;
export type Later = FieldTypes<typeof laterFields>;

const envelopeForm = message(envelopeFields);
export const offerForm = message(offerFields);
export const answerForm = message(answerFields);
export const laterForm = message(laterFields);

export const writeEnvelope = (envelope: Envelope): Uint8Array => envelopeForm.encode(envelope);

/** Throws LIMIT_EXCEEDED, INVALID_FORMAT. */
export function readEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > sessionLimits.handshakeBytesMax) {
    throw sessionError('LIMIT_EXCEEDED', `a handshake message has at most ${sessionLimits.handshakeBytesMax} bytes`);
  }
  const envelope = envelopeForm.decode(bytes);
  within(envelope.proof, 1, sessionLimits.proofBytesMax);
  within(envelope.confirmation, 32);
  return envelope;
}

/** Throws INVALID_FORMAT: a field is missing (a stripped offer) or out of bounds. */
export function readOffer(body: Uint8Array): Offer {
  const offer = offerForm.decode(body);
  checkSessionId(offer.session);
  for (const key of [offer.initiator, offer.responder, offer.x25519, offer.challenge]) within(key, 32);
  within(offer.mlKem768, 1_184);
  for (const name of [...offer.suites, offer.authenticator]) within(utf8(name), 1, sessionLimits.nameBytesMax);
  return offer;
}

/** Throws INVALID_FORMAT. */
export function readAnswer(body: Uint8Array): Answer {
  const answer = answerForm.decode(body);
  checkSessionId(answer.session);
  for (const key of [answer.x25519, answer.challenge]) within(key, 32);
  within(utf8(answer.suite), 1, sessionLimits.nameBytesMax);
  within(answer.ciphertext, 1_088);
  return answer;
}

/** Throws INVALID_FORMAT. */
export function readLater(body: Uint8Array): Later {
  const later = laterForm.decode(body);
  checkSessionId(later.session);
  within(later.ciphertext, 1_088);
  return later;
}

function within(field: Uint8Array | undefined, min: number, max = min): void {
  if (field === undefined || (field.length >= min && field.length <= max)) return;
  throw sessionError('INVALID_FORMAT', 'a handshake field of another length than it must have');
}
