import { describe, expect, it } from 'vitest';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { limits } from '../limits.ts';
import { codeOf } from '../testing/code-of.ts';
import { sessionHands, sessionPair } from '../testing/session-pair.ts';
import { offerForm, readEnvelope, readOffer, writeEnvelope } from './handshake-wire.ts';
import { sessionLimits } from './index.ts';

const { offer: message } = sessionHands({ crypto });
const envelope = readEnvelope(message);
const offer = readOffer(envelope.body);
const many = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const offerOf = (change: Partial<typeof offer>) => codeOf(() => readOffer(offerForm.encode({ ...offer, ...change })));
const messageOf = (change: Partial<typeof envelope>) =>
  codeOf(() => readEnvelope(writeEnvelope({ ...envelope, ...change })));
/** A message of so many bytes. */
function ofBytes(count: number): string {
  const frame = writeEnvelope({ ...envelope, body: new Uint8Array(3_000) }).length - 3_000;
  const bytes = writeEnvelope({ ...envelope, body: new Uint8Array(count - frame) });
  expect(bytes).toHaveLength(count);
  return codeOf(() => readEnvelope(bytes));
}

describe('A handshake message', () => {
  it.each<readonly [what: string, limit: number, refusal: string, code: (size: number) => string]>([
    ['bytes', sessionLimits.handshakeBytesMax, 'LIMIT_EXCEEDED', ofBytes],
    ['versions', sessionLimits.versionsMax, 'INVALID_FORMAT', (size) => offerOf({ versions: many(size, 1) })],
    ['suites', sessionLimits.suitesMax, 'INVALID_FORMAT', (size) => offerOf({ suites: many(size, 'aes-256-gcm') })],
    [
      "bytes of a suite's name",
      sessionLimits.nameBytesMax,
      'INVALID_FORMAT',
      (size) => offerOf({ suites: ['s'.repeat(size)] }),
    ],
    [
      "bytes of an authenticator's name",
      sessionLimits.nameBytesMax,
      'INVALID_FORMAT',
      (size) => offerOf({ authenticator: 'a'.repeat(size) }),
    ],
    [
      'bytes of a proof',
      sessionLimits.proofBytesMax,
      'INVALID_FORMAT',
      (size) => messageOf({ proof: new Uint8Array(size), body: new Uint8Array() }),
    ],
  ])('has at most so many %s: %i', (_, limit, refusal, code) => {
    expect([code(limit), code(limit + 1)]).toEqual(['taken', refusal]);
  });
});

it.each([
  [0, 'answered'],
  [1, 'CLOCK_SKEW'],
])('An offer as old, or as new, as clocks may differ and %i ms more is %s', (more, end) => {
  for (const sign of [-1, 1]) {
    const { responder, offer: given } = sessionHands({ crypto });
    const [effect] = responder.step(
      { type: 'receive', message: given },
      offer.timestampMs + sign * (limits.clockSkewMsMax + more),
    );
    expect(effect?.type === 'failed' ? effect.error.code : 'answered').toBe(end);
  }
});

it.each(['lifeMs', 'rekeyFrames', 'rekeyMs'] as const)(
  'A session may be made with the longest %s and none beyond',
  (name) => {
    const most = {
      lifeMs: sessionLimits.lifeMsMax,
      rekeyFrames: sessionLimits.rekeyFrames,
      rekeyMs: sessionLimits.rekeyMs,
    }[name];
    const made = (value: number) => codeOf(() => sessionPair({ crypto, [name]: value }));
    expect([made(most), made(most + 1), made(0)]).toEqual(['taken', 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED']);
  },
);
