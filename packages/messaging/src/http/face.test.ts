import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createIdentity, fromHex, fromUtf8, sealWithSecret, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { pcpLimits, sealConcat } from '@peerai/core-protocol/pcp';
import { ManualClock } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { bucketSizes } from './buckets.ts';
import { contact, life, type Life, nextRandom, older, ours, sealing, secret, six } from './testing/life.ts';

const vectors = new URL('../../../../../shared/vectors/peer-protocol/', import.meta.url);

describe('POST /message', () => {
  it('takes a signed message of a pinned peer once, and says so as the reference does', async () => {
    const at = await life();
    const body = six(at);
    expect(await at.post('/message', body)).toMatchObject({
      status: 200,
      body: { status: 'received', entity_id: 'entity-b', verification: 'passed' },
    });
    expect(at.seen).toMatchObject([{ kind: 'text', payload: { a: 1 }, sender: older.peer }]);
    expect(await at.post('/message', body)).toMatchObject({
      status: 409,
      body: { error: { code: 'REPLAY_DETECTED' } },
    });
    expect(at.seen).toHaveLength(1);
  });

  it.each(['orderly', 'kill -9'])('knows it again after a restart (%s)', async (how) => {
    const at = await life();
    const body = six(at);
    const light = six(at, 'heartbeat');
    expect((await at.post('/message', body)).status).toBe(200);
    expect((await at.post('/message', light)).status).toBe(200);
    if (how === 'orderly') await at.face.stop();
    await at.stop();
    await at.clock.advance(1_000);
    const again = await life({ store: at.store, clock: at.clock });
    expect((await again.post('/message', body)).body.error?.code).toBe('REPLAY_DETECTED');
    expect((await again.post('/message', light)).body.error?.code).toBe('REPLAY_DETECTED');
    expect(again.seen).toEqual([]);
    // And what is new is taken, also stamped a little before the start when the end was orderly.
    await again.clock.advance(1);
    expect((await again.post('/message', six(again))).status).toBe(200);
  });

  it('answers 503 when the handler fails, and takes the next attempt', async () => {
    const at = await life();
    at.fails = true;
    const answer = await at.post('/message', six(at));
    expect([answer.status >= 500, answer.body.error?.code]).toEqual([true, 'HANDLER_FAILED']);
    at.fails = false;
    expect((await at.post('/message', six(at))).status).toBe(200);
  });

  it('refuses kinds that nobody handles, and with a detail for older peers', async () => {
    const at = await life();
    expect(await at.post('/message', six(at, 'token_transfer'))).toMatchObject({
      status: 400,
      body: { error: { code: 'UNKNOWN_KIND' }, detail: 'Unknown message format' },
    });
  });

  it.each(['pcp/1.0-six', 'pcp/0.1'])(
    'notes what an error message of %s says, until something is delivered',
    async (profile) => {
      const at = await life();
      const told = (payload: Record<string, unknown>) =>
        profile === 'pcp/0.1'
          ? at.post(
              '/v0.1/message',
              sealConcat(sealing(at.clock), { kind: 'error', senderId: 'entity-a', recipientId: 'entity-b', payload }),
            )
          : at.post('/message', six(at, 'error', payload));
      expect((await told({ error_message: 'no code' })).status).toBe(400);
      expect(await told({ error_code: 'SESSION_EXPIRED', error_message: 'over' })).toMatchObject({
        status: 200,
        body: { status: 'received' },
      });
      const lastError = async (): Promise<unknown> =>
        ((await at.get('/stats')).body['stats'] as Record<string, { last_error: unknown }>)['entity-a']?.last_error;
      expect(await lastError()).toBe('SESSION_EXPIRED');
      expect(at.seen).toEqual([]);
      at.counts.sent(older.peer);
      expect(await lastError()).toBe(null);
    },
  );

  it.each([
    [['0.3'], '0.3'],
    [['0.3', '1.0', '9.9'], '1.0'],
    [['1.1', '0.3', '1.0'], '1.1'],
    [Array.from({ length: pcpLimits.versionsMax }, () => '1.0'), '1.0'],
  ])('answers a handshake that offers %j with %s', async (offered, chosen) => {
    const at = await life();
    const answer = await at.post('/message', six(at, 'handshake', { supported_versions: offered }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'received', selected_version: chosen } });
  });

  it('refuses a handshake in no version that is spoken here, chooses none where none is offered, and reads a bounded list', async () => {
    const at = await life({ profiles: ['pcp/1.0-six'] });
    const answer = (offered: unknown) => at.post('/message', six(at, 'handshake', { supported_versions: offered }));
    expect(await answer(['9.9', 'peerai/1'])).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_VERSION', details: { supported: ['1.1', '1.0', '0.3'] } } },
    });
    expect((await at.post('/message', six(at, 'handshake', {}))).body).not.toHaveProperty('selected_version');
    for (const wrong of ['1.0', [1], Array.from({ length: pcpLimits.versionsMax + 1 }, () => '1.0')])
      expect((await answer(wrong)).body.error?.code).toBe('INVALID_FORMAT');
  });

  it('refuses strangers of every profile, also forged ones with a known name', async () => {
    const at = await life({ contacts: [] });
    expect(await at.post('/message', six(at))).toMatchObject({
      status: 401,
      body: { detail: 'Unknown sender: entity-a' },
    });
    const stranger = createIdentity(nodeCrypto, new Uint8Array(32).fill(8));
    expect((await at.post('/message', ours(at, stranger))).body.error?.code).toBe('UNKNOWN_SENDER');
    const named = await life();
    expect((await named.post('/message', six(named, 'text', {}, stranger))).body.error?.code).toBe('INVALID_SIGNATURE');
    expect([...at.seen, ...named.seen]).toEqual([]);
  });

  it('takes from paired devices, signs its answer, and refuses blocked ones', async () => {
    const at = await life();
    const device = createIdentity(nodeCrypto, new Uint8Array(32).fill(7));
    at.standing.set(device.peer, 'paired');
    const answer = await at.post('/message', ours(at, device));
    expect(answer).toMatchObject({ status: 200, body: { status: 'received', answer: { kind: 'message.answer' } } });
    const unknown = await at.post('/message', ours(at, device, 'nonsense'));
    expect(unknown.status).toBe(400);
    expect(unknown.body['answer']).toMatchObject({ payload: { outcome: 'refused', code: 'UNKNOWN_KIND' } });
    at.standing.set(device.peer, 'blocked');
    expect((await at.post('/message', ours(at, device))).body.error?.code).toBe('REFUSED');
  });

  it('believes an older peer on first use in open mode only, and its first key alone, also after a restart', async () => {
    const closed = await life({ contacts: [] });
    const introduction = (at: Life, by = older): Uint8Array =>
      six(at, 'handshake', { public_key: toHex(by.publicKey) }, by);
    expect((await closed.post('/message', introduction(closed))).body.error?.code).toBe('UNKNOWN_SENDER');
    const open = await life({ contacts: [], isOpen: true });
    expect((await open.get('/health')).body['trust']).toBe('open');
    expect((await open.post('/message', six(open))).body.error?.code).toBe('UNKNOWN_SENDER');
    expect((await open.post('/message', introduction(open))).status).toBe(200);
    expect((await open.post('/message', six(open))).status).toBe(200);
    const thief = createIdentity(nodeCrypto, new Uint8Array(32).fill(6));
    expect((await open.post('/message', introduction(open, thief))).body.error?.code).toBe('INVALID_SIGNATURE');
    await open.face.stop();
    await open.stop();
    await open.clock.advance(1_000);
    const again = await life({ store: open.store, clock: open.clock, contacts: [], isOpen: true });
    expect((await again.post('/message', six(again))).status).toBe(200);
    await again.face.stop();
    await again.stop();
    const shut = await life({ store: open.store, clock: open.clock, contacts: [] });
    expect((await shut.post('/message', six(shut))).body.error?.code).toBe('UNKNOWN_SENDER');
  });

  it('gives each proven identity and kind its bucket; the next one is 429 with Retry-After, others go on', async () => {
    const at = await life();
    const { burst } = bucketSizes.task;
    for (let count = 0; count < burst; count += 1) {
      expect((await at.post('/message', six(at, 'task_delegate'))).status).toBe(200);
    }
    const next = await at.post('/message', six(at, 'task_delegate'));
    expect([next.status, next.headers['retry-after'], next.body['detail']]).toEqual([429, '2', 'rate_limited']);
    expect((await at.post('/message', six(at))).status).toBe(200);
    // Whatever else is wrong with it is not looked at, so it may be sent again as it is.
    const early = six(at, 'task_delegate');
    const forge = (_: string, first: string): string => `"signature":"${first === 'A' ? 'B' : 'A'}`;
    const broken = utf8(fromUtf8(early).replace(/"signature":"(.)/u, forge));
    for (const body of [early, early, broken]) expect((await at.post('/message', body)).status).toBe(429);
    // Nobody is slowed by who only says a name.
    const stranger = createIdentity(nodeCrypto, new Uint8Array(32).fill(8));
    for (let count = 0; count < 50; count += 1) await at.post('/message', six(at, 'text', {}, stranger));
    expect((await at.post('/message', six(at))).status).toBe(200);
    await at.clock.advance(2_000);
    expect((await at.post('/message', early)).status).toBe(200);
  });

  it('speaks only the profiles that are on', async () => {
    const at = await life({ profiles: ['peerai/1'] });
    expect(await at.post('/message', six(at))).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_VERSION' } },
    });
    expect((await at.get('/v0.1/health')).status).toBe(404);
  });
});

describe('/v0.1', () => {
  const old = (at: Life, kind: string): Uint8Array =>
    sealConcat(sealing(at.clock), { kind, senderId: 'entity-a', recipientId: 'entity-b', payload: { task_id: 't' } });
  it('takes signed messages, answers a ping with a pong of ours, and refuses in its own words', async () => {
    const at = await life({ contacts: [contact('pcp/0.1')] });
    const body = old(at, 'delegate');
    expect(await at.post('/v0.1/message', body)).toMatchObject({ status: 200, body: { status: 'received' } });
    expect(await at.post('/v0.1/message', body)).toMatchObject({ status: 400, body: { error: 'REPLAY_DETECTED' } });
    expect(await at.post('/v0.1/message', old(at, 'ping'))).toMatchObject({
      status: 200,
      body: { msg_type: 'pong', sender_id: 'entity-b', recipient_id: 'entity-a' },
    });
    expect(await at.post('/v0.1/message', utf8('{'))).toMatchObject({ status: 400, body: { error: 'INVALID_JSON' } });
    expect(await at.get('/v0.1/public-key')).toMatchObject({ body: { algorithm: 'Ed25519', entity_id: 'entity-b' } });
    expect(await at.get('/v0.1/health')).toMatchObject({
      status: 200,
      body: { version: '0.1', stats: { messages_received: 4, messages_verified: 2, messages_rejected: 2 } },
    });
  });
});

test('2,000 mutated bodies on every route: never a 500, and alive after', { timeout: 60_000 }, async () => {
  const at = await life({ secret, contacts: [contact()] });
  const good = [
    ['/message', six(at)],
    ['/message', ours(at, older)],
    [
      '/v0.1/message',
      sealConcat(sealing(at.clock), { kind: 'ping', senderId: 'entity-a', recipientId: 'entity-b', payload: {} }),
    ],
    [
      '/inbox',
      utf8(
        JSON.stringify({
          from: 'a',
          to: 'entity-b',
          encrypted: sealWithSecret({ crypto: nodeCrypto, random: nextRandom() }, secret, 'x'),
        }),
      ),
    ],
  ] as const;
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...good),
      fc.nat(),
      fc.uint8Array({ maxLength: 8 }),
      fc.nat(3),
      async ([path, body], place, piece, cut) => {
        const at0 = place % body.length;
        const mutated = Uint8Array.from([...body.subarray(0, at0), ...piece, ...body.subarray(at0 + cut)]);
        const { status } = await at.post(path, mutated);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(statuses.get(400)).toBeGreaterThan(200);
  expect((await at.post('/message', six(at))).status).toBe(200);
});

const files = existsSync(vectors) ? readdirSync(vectors).filter((file) => /^(?:six|v01)-/u.test(file)) : [];
test.runIf(files.length > 0)('the project’s vectors of both older profiles are answered as they must be', async () => {
  for (const file of files) {
    const vector = JSON.parse(readFileSync(new URL(file, vectors), 'utf8')) as {
      readonly expect: string;
      readonly public_key_hex: string;
      readonly message: Record<string, unknown>;
    };
    const text = readFileSync(new URL(file, vectors), 'utf8');
    const isOld = file.startsWith('v01');
    const clock = new ManualClock(Date.parse('2026-02-01T12:00:00Z') - 1_000);
    const named = contact(isOld ? 'pcp/0.1' : 'pcp/1.0-six', fromHex(vector.public_key_hex));
    const at = await life({ clock, contacts: [named] });
    await clock.advance(1_000);
    // The message as it stands in the file: a parser would change its numbers.
    const raw = text.slice(text.indexOf('{', text.indexOf('"message":')));
    const answer = await at.post(isOld ? '/v0.1/message' : '/message', utf8(firstObject(raw)));
    const says = JSON.stringify(answer.body);
    if (vector.expect.startsWith('invalid') && file !== 'six-12-hex-signature.json')
      expect(says, file).toMatch(/INVALID_SIGNATURE/u);
    else expect(says, file).not.toMatch(/INVALID_SIGNATURE|MISSING|INVALID_FORMAT|UNKNOWN_SENDER/u);
  }
});

function firstObject(text: string): string {
  let depth = 0;
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    const sign = text[place];
    if (sign === '\\') place += 1;
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && sign === '{') depth += 1;
    else if (!quoted && sign === '}' && (depth -= 1) === 0) return text.slice(0, place + 1);
  }
  return text;
}
