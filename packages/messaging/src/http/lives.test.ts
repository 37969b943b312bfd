import { sealWithSecret } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealConcat } from '@peerai/core-protocol/pcp';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { collect, under } from '../rows.ts';
import { httpLimits } from './limits.ts';
import { type Life, life, nextRandom, sealing, secret } from './testing/life.ts';

const sealed = (text: string) => ({
  from: 'a',
  to: 'entity-b',
  encrypted: sealWithSecret({ crypto: nodeCrypto, random: nextRandom() }, secret, text),
});
/** What has expired is forgotten when the next message comes. */
const another = async (at: Life) => expect((await at.post('/inbox', sealed('another'))).status).toBe(200);

test('an envelope is known again for `envelopeLifeMs`, and the margin of every letter, and then no more', async () => {
  for (const [more, status] of [
    [0, 409],
    [1, 200],
  ] as const) {
    const at = await life({ secret });
    const envelope = sealed('hello');
    expect((await at.post('/inbox', envelope)).status).toBe(200);
    await at.clock.advance(httpLimits.envelopeLifeMs + limits.sweepMarginMs + more);
    await another(at);
    expect((await at.post('/inbox', envelope)).status).toBe(status);
    await at.stop();
  }
});

test('a message of another profile is known again until `oldFormLifeMs`: from then on its clock refuses it, and it is forgotten', async () => {
  const at = await life({ secret });
  const said = { kind: 'text', senderId: 'entity-a', recipientId: 'entity-b', payload: { a: 1 } };
  const body = sealConcat(sealing(at.clock), said);
  const marks = async () => (await collect(at.store.room('messenger').range(...under('in')))).length;
  const codeOf = async () => (await at.post('/v0.1/message', body)).body.error;
  expect((await at.post('/v0.1/message', body)).status).toBe(200);
  await at.clock.advance(httpLimits.oldFormLifeMs - 1);
  expect(await codeOf()).toBe('REPLAY_DETECTED');
  await at.clock.advance(1);
  expect(await codeOf()).toBe('EXPIRED_TIMESTAMP');
  await at.clock.advance(limits.sweepMarginMs);
  await another(at);
  expect(await marks()).toBe(2);
  await at.clock.advance(limits.sweepMsMin);
  await another(at);
  // Two others, and the first no more.
  expect(await marks()).toBe(2);
  await at.stop();
});
