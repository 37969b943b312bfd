import { fromUtf8, type PeerAiError, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { answerInbox, assistantLimits, envelopeReader, sealEnvelope } from './index.ts';

const random = seededRandom(9);
const secret = 'a secret of both sides';
const from = { from: 'assistant_a', to: 'assistant_b', secret, sentMs: 0 };
const sealed = (text: string, more: Partial<typeof from> = {}): Uint8Array =>
  sealEnvelope({ crypto, random }, { ...from, ...more }, { text, type: 'user', userInitiated: true });
const reader = (clock = new ManualClock()) => envelopeReader({ crypto, clock }, { self: 'assistant_b', secret });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as PeerAiError).code;
  }
  return 'opened';
};

describe('who opens envelopes', () => {
  test('opens each once, by whatever way it comes', () => {
    const open = reader();
    const envelope = sealed('hello');
    expect(open(envelope)).toMatchObject({ from: 'assistant_a', text: 'hello', userInitiated: true });
    expect(codeOf(() => open(envelope))).toBe('REPLAY_DETECTED');
    expect(open(sealed('hello')).text).toBe('hello');
  });

  test('takes 600 in a burst whatever names they carry, and what was refused for that is opened later', async () => {
    const clock = new ManualClock();
    const open = reader(clock);
    for (let n = 0; n < 600; n += 1) open(sealed('x', { from: `name-${n}` }));
    const last = sealed('last');
    expect(codeOf(() => open(last))).toBe('RATE_LIMITED');
    await clock.advance(60_000);
    expect(open(last).text).toBe('last');
  });

  test('knows seenMax again, and not the one before', async () => {
    const clock = new ManualClock();
    const open = reader(clock);
    const first = sealed('first');
    const second = sealed('second');
    for (const one of [first, second]) open(one);
    for (let n = 2; n <= assistantLimits.seenMax; n += 1) {
      if (n % 500 === 0) await clock.advance(60_000);
      open(sealed('x'));
    }
    expect([codeOf(() => open(second)), codeOf(() => open(first))]).toEqual(['REPLAY_DETECTED', 'opened']);
  });
});

describe('the face', () => {
  const ask = async (method: string, path: string, body: Uint8Array, open = reader()) => {
    const answer = await answerInbox({ method, path, host: undefined, body }, (given) => void open(given));
    return { status: answer.status, body: JSON.parse(fromUtf8(answer.body)) as unknown, headers: answer.headers };
  };

  test('answers POST /inbox as the first assistants do', async () => {
    expect(await ask('POST', '/inbox', sealed('hello'))).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('names what is wrong, never the secret, and stays', async () => {
    const wrong = sealed('hello', { secret: 'another secret' });
    const signed = utf8(JSON.stringify({ from: 'a', to: 'assistant_b', message: 'x', hmac_sig: '00' }));
    for (const [body, message] of [
      [wrong, 'Failed to decrypt message'],
      [signed, 'HMAC mismatch'],
    ] as const) {
      const { status, body: said } = await ask('POST', '/inbox', body);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(said).toMatchObject({ error: { message } });
      expect(JSON.stringify(said)).not.toContain(secret);
    }
    expect((await ask('POST', '/inbox', utf8('no JSON'))).status).toBe(400);
  });

  test('tells who floods when to come back', async () => {
    const open = reader();
    for (let n = 0; n < 600; n += 1) open(sealed('x'));
    const { status, headers } = await ask('POST', '/inbox', sealed('x'), open);
    expect([status, Number(headers['retry-after'])]).toEqual([429, 1]);
  });

  test.each(['/', '/health', '/message', '/api/v1/node', '/inbox/x'])('has nothing at %s', async (path) => {
    for (const method of ['GET', 'POST']) expect((await ask(method, path, new Uint8Array())).status).toBe(404);
  });
  test('takes nothing but POST', async () => {
    expect((await ask('GET', '/inbox', new Uint8Array())).status).toBe(405);
  });
});
