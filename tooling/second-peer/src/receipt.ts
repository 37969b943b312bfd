import { createHash } from 'node:crypto';
import { type Identity, verifies } from './identity.ts';
import { bytesOf, numberOf, readFields, writeFields } from './protobuf.ts';
import { Refusal } from './refusal.ts';

/** What both sides of an answer sign (docs/protocol/ledger.md). */
export interface Receipt {
  readonly provider: Buffer;
  readonly consumer: Buffer;
  readonly lease: Buffer;
  readonly n: number;
  readonly requestId: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly totalPromptTokens: number;
  readonly totalAnswerTokens: number;
  readonly workHash: Buffer;
  readonly previous: Buffer;
}

/** Reads a half. Throws INVALID_SIGNATURE when the provider did not sign it. */
export function readHalf(half: Buffer): Receipt {
  const envelope = readFields(half);
  const body = bytesOf(envelope, 1);
  const fields = readFields(body);
  const provider = bytesOf(fields, 2);
  if (!verifies(provider, signedBytes(body), bytesOf(envelope, 2))) {
    throw new Refusal('INVALID_SIGNATURE', 'the provider did not sign this');
  }
  return {
    provider,
    consumer: bytesOf(fields, 3),
    lease: bytesOf(fields, 4),
    n: Number(numberOf(fields, 5)),
    requestId: bytesOf(fields, 6).toString('utf8'),
    model: bytesOf(fields, 7).toString('utf8'),
    promptTokens: Number(numberOf(fields, 8)),
    answerTokens: Number(numberOf(fields, 9)),
    totalPromptTokens: Number(numberOf(fields, 11)),
    totalAnswerTokens: Number(numberOf(fields, 12)),
    workHash: bytesOf(fields, 13),
    previous: bytesOf(fields, 15),
  };
}

/** The half with the consumer's signature beside the provider's. */
export function countersign(identity: Identity, half: Buffer): Buffer {
  const envelope = readFields(half);
  const body = bytesOf(envelope, 1);
  return writeFields([
    [1, body],
    [2, bytesOf(envelope, 2)],
    [3, identity.sign(signedBytes(body))],
  ]);
}

/** What `previous` of the next receipt must be. */
export function hashOf(half: Buffer): Buffer {
  return createHash('sha256')
    .update(bytesOf(readFields(half), 1))
    .digest();
}

function signedBytes(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('peerai/usage-receipt/1\0'), body]);
}
