import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docVector } from './files.ts';
import { identityOf } from './identity.ts';
import { letterOf } from './letter.ts';
import { numberOf, readFields, textsOf } from './protobuf.ts';
import { Refusal } from './refusal.ts';
import { HttpSession, type Post } from './session-http.ts';
import { pairWith, startWorld, type World } from './world.ts';

interface Vector {
  readonly now: string;
  readonly seed_hex: { readonly initiator: string; readonly responder: string };
  readonly entropy_hex: { readonly initiator: string };
  readonly letter: {
    readonly id: string;
    readonly kind: string;
    readonly content: string;
    readonly sentMs: number;
    readonly expiresMs: number;
  };
  readonly steps: readonly { readonly body_hex: string; readonly answer_hex: string }[];
}

test('session-http.json: every body is the vector’s, byte for byte', async () => {
  const { now, seed_hex, entropy_hex, letter, steps } = docVector<Vector>('session-http');
  let place = 0;
  const post: Post = (body) => {
    const step = steps[place];
    place += 1;
    expect(body.toString('hex')).toBe(step?.body_hex);
    return Promise.resolve(Buffer.from(step?.answer_hex ?? '', 'hex'));
  };
  const session = await HttpSession.open(post, {
    form: 'three',
    identity: identityOf(Buffer.from(seed_hex.initiator, 'hex')),
    peerKey: identityOf(Buffer.from(seed_hex.responder, 'hex')).publicKey,
    suites: ['aes-256-gcm', 'chacha20-poly1305'],
    nowMs: Date.parse(now),
    entropy: Buffer.from(entropy_hex.initiator, 'hex'),
  });
  const content: unknown = JSON.parse(letter.content);
  expect(await session.bring(letter.kind, { ...letter, content })).toBe('taken');
  expect(place).toBe(steps.length);
});

describe('a running agent', () => {
  const seed = randomBytes(32);
  const identity = identityOf(seed);
  let world: World;
  let peerKey: Buffer;
  beforeAll(async () => {
    world = await startWorld({}, seed);
    peerKey = (await pairWith(world, 'second')).ticket.provider.key;
  }, 60_000);
  afterAll(async () => world?.stop(), 30_000);

  const post: Post = async (body) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(`${world.agent.info.http}/session`, {
      method: 'POST',
      body: Uint8Array.from(body),
      headers,
    });
    if (response.status === 200) return Buffer.from(await response.arrayBuffer());
    const { error } = (await response.json()) as { readonly error: { readonly code: string } };
    throw new Refusal(error.code, String(response.status));
  };
  const open = (suite: string, form: 'three' | 'six', from = identity): Promise<HttpSession> =>
    HttpSession.open(post, {
      form,
      identity: from,
      peerKey,
      suites: [suite],
      nowMs: Date.now(),
      entropy: randomBytes(144),
    });
  const codeOf = (failing: Promise<unknown>): Promise<unknown> =>
    failing.then(
      () => 'done',
      (error: unknown) => (error instanceof Refusal ? error.code : error),
    );

  test.each([
    ['aes-256-gcm', 'three'],
    ['chacha20-poly1305', 'six'],
  ] as const)('takes a letter in a session of %s after %s steps, once', async (suite, form) => {
    const session = await open(suite, form);
    const letter = letterOf(`sealed, ${form}`);
    expect(await session.bring('text', letter)).toBe('taken');
    // The same letter in another frame is taken and not handled again.
    expect(await session.bring('text', letter)).toBe('taken');
    const [newest, before] = await world.agent.client.messages();
    expect(newest).toMatchObject({ fromName: 'second', payload: `sealed, ${form}` });
    expect(before?.payload).not.toEqual(newest?.payload);
    const { payload } = await session.ask('session.status', Buffer.alloc(0));
    expect(textsOf(readFields(payload), 2)).toEqual([suite]);
    expect(Number(numberOf(readFields(payload), 3))).toBeGreaterThan(Date.now());
  });

  test('refuses a repeated frame, a changed one, an unknown session and a stranger', async () => {
    const session = await open('aes-256-gcm', 'three');
    const frame = session.seal('session.status', Buffer.alloc(0));
    expect((await session.send(frame)).kind).toBe('session.status');
    expect(await codeOf(session.send(frame))).toBe('SEQUENCE_ERROR');
    const torn = session.seal('session.status', Buffer.alloc(0));
    torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
    expect(await codeOf(session.send(torn))).toBe('DECRYPTION_FAILED');
    session.keys.session[15] = (session.keys.session[15] ?? 0) ^ 1;
    expect(await codeOf(session.ask('session.status', Buffer.alloc(0)))).toBe('SESSION_EXPIRED');
    expect(await codeOf(open('aes-256-gcm', 'three', identityOf(randomBytes(32))))).toBe('UNKNOWN_SENDER');
    expect(await codeOf(open('rot13', 'three'))).toBe('REFUSED');
  });
});
