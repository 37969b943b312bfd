import {
  type CryptoProvider,
  type Identity,
  type ModelIdentity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  type Sampling,
  sealSigned,
  utf8,
  wire,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** What a provider signs: this model, asked this with these parameters, gave this. */
export interface AnswerStatement {
  readonly provider: PeerId;
  readonly requestId: string;
  /** The name that was asked for. */
  readonly model: string;
  readonly identity: ModelIdentity;
  /** SHA-256 of the prompt's bytes, as in a receipt's work hash. */
  readonly prompt: Uint8Array;
  /** SHA-256 of the text that the provider put before the question as a system message, UTF-8; absent where it put none. */
  readonly system?: Uint8Array;
  readonly sampling: Sampling;
  /** SHA-256 of the answer's bytes. */
  readonly answer: Uint8Array;
  readonly reason: 'stop' | 'length' | 'tool-calls';
  /** The provider's clock; a claim. */
  readonly statedMs: number;
}

const tag = 'peerai/answer-statement/1';
const { bytes, double, message, oneOf, optional, repeated, string, uint32, uint53 } = wire;
const statementForm = message({
  requestId: string(1),
  model: string(2),
  weights: bytes(3),
  engine: string(4),
  version: string(5),
  prompt: bytes(6),
  maxTokens: uint32(7),
  temperature: optional(double(8)),
  topP: optional(double(9)),
  seed: optional(double(10)),
  stop: repeated(string(11), limits.stopTextsMax),
  answer: bytes(12),
  reason: oneOf(13, ['stop', 'length', 'tool-calls']),
  statedMs: uint53(14),
  system: optional(bytes(15)),
});

export function signStatement(signer: Identity, statement: Omit<AnswerStatement, 'provider'>): Uint8Array {
  const { identity, sampling, system, ...rest } = statement;
  const { maxTokens, temperature, topP, seed, stop = [] } = sampling;
  const body = statementForm.encode({ ...rest, ...identity, system, maxTokens, temperature, topP, seed, stop });
  return sealSigned(signer, tag, body);
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE, LIMIT_EXCEEDED. */
export function openStatement(crypto: CryptoProvider, sealed: Uint8Array): AnswerStatement {
  if (sealed.length > limits.statementBytesMax) throw tooLong('statement', limits.statementBytesMax);
  const { body, signer } = openSigned(crypto, tag, sealed);
  const { weights, engine, version, maxTokens, temperature, topP, seed, stop, system, ...rest } =
    statementForm.decode(body);
  if (
    [weights, rest.prompt, rest.answer, ...(system === undefined ? [] : [system])].some(({ length }) => length !== 32)
  )
    throw new PeerAiError('INVALID_FORMAT', 'a hash in this statement has not 32 bytes');
  for (const [name, text, max] of [
    ['requestId', rest.requestId, limits.requestIdBytesMax],
    ['model', rest.model, limits.modelNameBytesMax],
    ['engine', engine, limits.engineNameBytesMax],
    ['version', version, limits.engineNameBytesMax],
    ...stop.map((text) => ['stop', text, limits.stopTextBytesMax] as const),
  ] as const)
    if (utf8(text).length > max) throw tooLong(name, max);
  return {
    ...rest,
    provider: peerIdFromPublicKey(signer),
    identity: { weights, engine, version },
    ...(system === undefined ? {} : { system }),
    sampling: {
      maxTokens,
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(seed === undefined ? {} : { seed }),
      ...(stop.length === 0 ? {} : { stop }),
    },
  };
}

const tooLong = (name: string, max: number): PeerAiError =>
  new PeerAiError('LIMIT_EXCEEDED', `${name} is above its limit of ${max} bytes`, { name, max });
