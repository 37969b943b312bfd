import { concatBytes, equalBytes, utf8 } from '../bytes.ts';
import { nobleCrypto } from '../crypto/noble.ts';
import { signedBytes } from '../identity/signed.ts';
import type { CryptoProvider, PeerId } from '../ports/index.ts';
import { erase } from './chain.ts';
import { sessionError } from './errors.ts';
import { type Envelope, type HandshakeForm, handshakeSteps, keyStep, writeEnvelope } from './handshake-wire.ts';
import type { Authenticator } from './suites.ts';

const proofTag = 'peerai/session-handshake/1';
const keysInfo = utf8('peerai/session/1/keys');
const confirmInfo = utf8('peerai/session/1/confirm');
const none = new Uint8Array();

/** Ephemeral X25519 by noble also where node:crypto serves the rest: node's provider keeps imported keys, and these must go. */
export const ephemeral = nobleCrypto.x25519;

/** What both secrets and the transcript give: a chain a direction, a confirmation key a side, and a secret for what is built on top. */
export interface Keys {
  readonly fromInitiator: Uint8Array;
  readonly fromResponder: Uint8Array;
  readonly confirmInitiator: Uint8Array;
  readonly confirmResponder: Uint8Array;
  readonly exported: Uint8Array;
}
/** A handshake on its way, as one side sees it. */
export interface Exchange {
  readonly form: HandshakeForm;
  readonly authenticator: Authenticator;
  readonly peer: PeerId;
  readonly transcript: Uint8Array;
  readonly keys?: Keys;
}

export const openTranscript = (crypto: CryptoProvider, form: HandshakeForm): Uint8Array =>
  crypto.sha256(utf8(`peerai/session/1/${form}`));

/** The transcript with one more step's name and body. */
export function withBody(crypto: CryptoProvider, exchange: Exchange, step: number, body: Uint8Array): Uint8Array {
  const name = handshakeSteps[exchange.form][step] ?? '';
  return crypto.sha256(exchange.transcript, utf8(name), Uint8Array.of(0), body);
}

/** HKDF-SHA256 over X25519's secret, then ML-KEM's; the salt is the transcript up to the ciphertext. Both secrets are erased. */
export function deriveKeys(
  crypto: CryptoProvider,
  secrets: { readonly x25519: Uint8Array; readonly mlKem768: Uint8Array },
  transcript: Uint8Array,
): Keys {
  const secret = concatBytes(secrets.x25519, secrets.mlKem768);
  const all = crypto.hkdfSha256(secret, transcript, keysInfo, 160);
  const [fromInitiator, fromResponder] = [all.slice(0, 32), all.slice(32, 64)];
  const [confirmInitiator, confirmResponder, exported] = [all.slice(64, 96), all.slice(96, 128), all.slice(128)];
  erase(secrets.x25519, secrets.mlKem768, secret, all);
  return { fromInitiator, fromResponder, confirmInitiator, confirmResponder, exported };
}

/** Our message of this step, with our proof, and from the key step on our confirmation; and the exchange after it. */
export function writeStep(
  crypto: CryptoProvider,
  exchange: Exchange,
  step: number,
  body: Uint8Array,
): readonly [Exchange, Uint8Array] {
  const name = handshakeSteps[exchange.form][step];
  if (name === undefined) throw sessionError('INTERNAL', `no step ${step}`);
  const transcript = withBody(crypto, exchange, step, body);
  const proof = exchange.authenticator.prove(signedBytes(proofTag, transcript));
  const confirmation = confirmationOf(crypto, exchange, step, transcript);
  const message = writeEnvelope({ step: name, body, proof, confirmation });
  return [{ ...exchange, transcript: crypto.sha256(transcript, proof) }, message];
}

/** The other side's proof over everything so far. Throws CHALLENGE_INVALID. */
export function checkProof(crypto: CryptoProvider, exchange: Exchange, step: number, envelope: Envelope): void {
  const transcript = withBody(crypto, exchange, step, envelope.body);
  if (exchange.authenticator.check(exchange.peer, signedBytes(proofTag, transcript), envelope.proof)) return;
  throw sessionError('CHALLENGE_INVALID', 'the proof of this handshake message does not fit what was said');
}

/** After `checkProof`, with the keys where the step has them. Throws CHALLENGE_INVALID. */
export function readStep(crypto: CryptoProvider, exchange: Exchange, step: number, envelope: Envelope): Exchange {
  const transcript = withBody(crypto, exchange, step, envelope.body);
  const wanted = confirmationOf(crypto, exchange, step, transcript) ?? none;
  if (!equalBytes(wanted, envelope.confirmation ?? none)) {
    throw sessionError('CHALLENGE_INVALID', 'the other side has not come to the same keys');
  }
  return { ...exchange, transcript: crypto.sha256(transcript, envelope.proof) };
}

function confirmationOf(
  crypto: CryptoProvider,
  { form, keys }: Exchange,
  step: number,
  transcript: Uint8Array,
): Uint8Array | undefined {
  if (keys === undefined || step < keyStep[form]) return undefined;
  const key = step % 2 === 0 ? keys.confirmInitiator : keys.confirmResponder;
  return crypto.hkdfSha256(key, transcript, confirmInfo, 32);
}
