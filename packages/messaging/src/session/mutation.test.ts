import { createIdentity, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, mutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { type Decoder, testMutations, through } from '../../test/mutations.ts';
import { createBuckets } from '../http/buckets.ts';
import { createCounts } from '../http/counts.ts';
import { createSessionDialer } from './dialer.ts';
import { createSessionDoor } from './door.ts';
import { exchangeForm, letterAnswerForm, letterForm, readExchange, statusForm } from './wire.ts';

const random = seededRandom(8);
const never = new AbortController().signal;
const id = toHex(random.bytes(16));
const exchange = { session: random.bytes(16), handshake: undefined, frame: random.bytes(60) };

const decoders: Record<string, Decoder> = {
  exchange: { valid: exchangeForm.encode(exchange), decode: readExchange },
  letter: through(letterForm, { id, kind: 'text', content: '{"a":[1,"two"]}', sentMs: 1, expiresMs: 2 }),
  'answer to a letter': through(letterAnswerForm, { id, outcome: 'later', code: 'TIMEOUT', retryAfterMs: 5 }),
  status: through(statusForm, { session: 'x'.repeat(36), suite: 'aes-256-gcm', expiresMs: 3 }),
};

testMutations(decoders);

test('whole bodies, mutated: a refusal of ours each time, no letter, and the door still opens', async () => {
  const clock = new ManualClock();
  const identity = createIdentity(nodeCrypto, random.bytes(32));
  let letters = 0;
  const door = createSessionDoor({
    identity,
    crypto: nodeCrypto,
    random,
    clock,
    buckets: createBuckets(clock),
    counts: createCounts(clock),
    admit: () => undefined,
    receive: async () => {
      letters += 1;
      return { outcome: 'taken', code: undefined, isRepeated: false };
    },
  });
  const dialer = createSessionDialer({
    identity: createIdentity(nodeCrypto, random.bytes(32)),
    crypto: nodeCrypto,
    random,
    clock,
  });
  const bodies: Uint8Array[] = [];
  const letter = { id, kind: 'text', content: '1', sentMs: clock.nowMs(), expiresMs: clock.nowMs() + 1_000 };
  const carry = () =>
    dialer.carry(
      identity.peer,
      letter,
      async (body, signal) => {
        bodies.push(body);
        const reply = await door.take(body, signal);
        return reply instanceof Uint8Array ? { status: 200, body: reply } : { status: reply.status, body };
      },
      never,
    );
  await carry();
  expect([bodies.length, letters]).toEqual([3, 1]);
  const mutations = seededRandom(2);
  for (const valid of bodies.slice(0, 3)) {
    for (let turn = 0; turn < 300; turn += 1) {
      const reply = await door.take(mutated(valid, mutations), never);
      if (!(reply instanceof Uint8Array)) expect(reply.status).toBeLessThan(500);
    }
  }
  expect(letters).toBe(1);
  expect(await carry()).toMatchObject({ outcome: 'taken' });
});
