import { callMethod, type Opened, PeerAiError, type PeerId, sealMessage } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { type MessageWorld, messageWorld, place } from '../test/world.ts';
import { limits } from './limits.ts';
import { deliverMethod } from './protocol.ts';

const text = (to: PeerId, payload: unknown = 'hello') => ({ to, kind: 'text', payload });
const hour = 3_600_000;

describe('a message', () => {
  test('arrives, whole and proven, and its sender learns of it', async () => {
    const here = place();
    const seen: Opened[] = [];
    const a = await messageWorld(1, here);
    const b = await messageWorld(2, here, { handle: async (message) => void seen.push(message) });
    const payload = { list: [1, 2.5, null, 'ü'], text: 'hello' };
    const sentMs = here.clock.nowMs();
    const id = await a.messenger.send(text(b.identity.peer, payload));
    expect(await a.messenger.status(id)).toMatchObject({ state: 'queued', to: b.identity.peer, kind: 'text' });
    await here.clock.advance(0);
    expect(await b.texts()).toEqual([JSON.stringify(payload)]);
    expect(seen[0]).toMatchObject({ id, sender: a.identity.peer, kind: 'text', payload, sentMs });
    expect([...(seen[0]?.proven ?? [])]).toContain('payload');
    expect(await a.messenger.status(id)).toMatchObject({ state: 'delivered' });
    expect(a.outcomes.map(({ id, state }) => ({ id, state }))).toEqual([{ id, state: 'delivered' }]);
    expect(await a.messenger.pending()).toEqual([]);
    expect(here.clock.pending).toBe(0);
  });

  test('waits for a peer that is away, tells why, and goes out in order when the peer is back', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    here.networks.cut(a.identity.peer, b.identity.peer);
    const id = await a.messenger.send(text(b.identity.peer, 0));
    for (const number of [1, 2, 3]) await a.messenger.send(text(b.identity.peer, number));
    await here.clock.advance(10 * 60_000);
    expect(await a.messenger.pending()).toEqual([{ to: b.identity.peer, code: 'PEER_UNREACHABLE' }]);
    expect(await a.messenger.status(id)).toMatchObject({ state: 'queued', code: 'PEER_UNREACHABLE' });
    here.networks.heal(a.identity.peer, b.identity.peer);
    await here.clock.advance(72_000);
    expect(await b.texts()).toEqual(['0', '1', '2', '3']);
  });

  test('goes out at once, but not before the shortest wait, when a link comes up', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    here.networks.cut(a.identity.peer, b.identity.peer);
    await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(hour);
    here.networks.heal(a.identity.peer, b.identity.peer);
    // The longest wait has begun somewhere in the last 72 s; b's own message opens a link.
    await b.messenger.send(text(a.identity.peer, 'back'));
    await here.clock.advance(1_000);
    expect(await b.texts()).toEqual(['"hello"']);
  });

  test('waits on disk through a restart of its sender', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    here.networks.cut(a.identity.peer, b.identity.peer);
    const ids = [await a.messenger.send(text(b.identity.peer, 1)), await a.messenger.send(text(b.identity.peer, 2))];
    a.die();
    here.networks.heal(a.identity.peer, b.identity.peer);
    const again = await messageWorld(1, here, { store: a.store.reopen() });
    const third = await again.messenger.send(text(b.identity.peer, 3));
    await here.clock.advance(0);
    expect(await b.texts()).toEqual(['1', '2', '3']);
    for (const id of [...ids, third]) expect(await again.messenger.status(id)).toMatchObject({ state: 'delivered' });
  });

  test('expires after 72 hours and is a dead letter with the reason; what is behind it goes on', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    here.networks.cut(a.identity.peer, b.identity.peer);
    const long = await a.messenger.send(text(b.identity.peer, 'long'));
    const short = await a.messenger.send({ ...text(b.identity.peer, 'short'), expiresMs: here.clock.nowMs() + hour });
    const longer = await a.messenger.send({
      ...text(b.identity.peer, 'longer'),
      expiresMs: here.clock.nowMs() + 100 * hour,
    });
    await here.clock.advance(hour - 1);
    expect(a.outcomes).toEqual([]);
    await here.clock.advance(80_000);
    expect(a.outcomes).toMatchObject([{ id: short, state: 'expired', code: 'PEER_UNREACHABLE' }]);
    here.clock.jump(71 * hour);
    await here.clock.advance(80_000);
    expect(await a.messenger.outcomes()).toMatchObject([{ id: long, state: 'expired' }, { id: short }]);
    here.networks.heal(a.identity.peer, b.identity.peer);
    await here.clock.advance(80_000);
    expect(await a.messenger.status(longer)).toMatchObject({ state: 'delivered' });
    expect(await b.texts()).toEqual(['"longer"']);
  });

  test('that expired while its sender was stopped is not brought any more', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    await a.stop();
    const id = await a.messenger.send({ ...text(b.identity.peer), expiresMs: here.clock.nowMs() + hour });
    await here.clock.advance(hour + 1);
    await a.messenger.start(new AbortController().signal);
    await here.clock.advance(0);
    expect(a.outcomes).toMatchObject([{ id, state: 'expired', code: 'EXPIRED' }]);
    expect(await b.texts()).toEqual([]);
  });

  test('of an unknown kind is refused, once, and does not hold up the next', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    const id = await a.messenger.send({ to: b.identity.peer, kind: 'riddle', payload: 1 });
    await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(0);
    expect(a.outcomes).toMatchObject([{ id, state: 'refused', code: 'UNKNOWN_KIND' }, { state: 'delivered' }]);
  });

  test('that the handler refuses is refused; one it fails on is tried again', async () => {
    const here = place();
    let failures = 2;
    const handle = async ({ payload }: Opened): Promise<void> => {
      if (payload === 'bad') throw new PeerAiError('REFUSED', 'not this one');
      failures -= 1;
      if (failures >= 0) throw new Error('a secret about our disk');
    };
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { handle })];
    await a.messenger.send(text(b.identity.peer, 'bad'));
    const id = await a.messenger.send(text(b.identity.peer, 'good'));
    await here.clock.advance(0);
    expect(a.outcomes).toMatchObject([{ state: 'refused', code: 'REFUSED' }]);
    expect(await a.messenger.status(id)).toMatchObject({ state: 'queued', code: 'HANDLER_FAILED' });
    await here.clock.advance(4_000);
    expect(await b.texts()).toEqual(['"good"']);
  });

  test('to a peer that does not grant it waits', async () => {
    const here = place();
    let isGranted = false;
    const a = await messageWorld(1, here);
    const b = await messageWorld(2, here, { isGranted: () => isGranted });
    await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(60_000);
    expect(await a.messenger.pending()).toEqual([{ to: b.identity.peer, code: 'REFUSED' }]);
    isGranted = true;
    await here.clock.advance(72_000);
    expect(await b.texts()).toEqual(['"hello"']);
  });

  test('whose handler hangs is given up after 30 s and tried again', async () => {
    const here = place();
    let calls = 0;
    const handle = async (): Promise<void> => {
      calls += 1;
      if (calls === 1) await new Promise(() => undefined);
    };
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { handle })];
    await a.messenger.send(text(b.identity.peer));
    await here.clock.advance(limits.handlerMsMax - 1);
    expect(calls).toBe(1);
    await here.clock.advance(3_000);
    expect(await b.texts()).toEqual(['"hello"']);
  });
});

describe('what is refused', () => {
  const deliver = (from: MessageWorld, to: MessageWorld, letter: Uint8Array) =>
    callMethod(from, to.identity.peer, deliverMethod, { letter }, { signal: new AbortController().signal });
  const payload = (world: MessageWorld, change: object = {}) => ({
    id: '00'.repeat(16),
    sentMs: world.clock.nowMs(),
    expiresMs: world.clock.nowMs() + hour,
    content: 1,
    ...change,
  });
  const seal = (from: MessageWorld, recipient: PeerId, content: unknown) =>
    sealMessage(from, { kind: 'text', recipient, sequence: 0, payload: content }, { form: 'protobuf' });

  test('a letter of somebody else, for somebody else, changed, expired, or with a life too long', async () => {
    const here = place();
    const [a, b, c] = [await messageWorld(1, here), await messageWorld(2, here), await messageWorld(3, here)];
    const to = b.identity.peer;
    const changed = seal(a, to, payload(a));
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
    const nowMs = here.clock.nowMs();
    const cases: [string, Uint8Array][] = [
      ['WRONG_RECIPIENT', seal(c, to, payload(a))],
      ['WRONG_RECIPIENT', seal(a, c.identity.peer, payload(a))],
      ['INVALID_SIGNATURE', changed],
      ['EXPIRED', seal(a, to, payload(a, { expiresMs: nowMs - 1 }))],
      ['LIMIT_EXCEEDED', seal(a, to, payload(a, { expiresMs: nowMs + limits.lifeMsMax + 1 }))],
      ['INVALID_FORMAT', seal(a, to, payload(a, { id: '../x' }))],
      ['INVALID_FORMAT', seal(a, to, payload(a, { sentMs: -1 }))],
      ['INVALID_FORMAT', seal(a, to, 'hello')],
      ['INVALID_FORMAT', new Uint8Array(10)],
    ];
    for (const [code, letter] of cases) expect(await deliver(a, b, letter)).toEqual({ outcome: 'refused', code });
    expect(await b.texts()).toEqual([]);
    const atLimit = seal(a, to, payload(a, { expiresMs: nowMs + limits.lifeMsMax }));
    expect(await deliver(a, b, atLimit)).toMatchObject({ outcome: 'taken' });
    await expect(deliver(a, b, atLimit)).rejects.toMatchObject({ code: 'REPLAY_DETECTED' });
    expect(await b.texts()).toEqual(['1']);
  });

  test('a letter that comes again while it is being handled: it is handled once, and both are told so', async () => {
    const here = place();
    let calls = 0;
    const handle = async (): Promise<void> => {
      calls += 1;
      await here.clock.sleep(5_000);
    };
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { handle })];
    const twice = [payload(a), payload(a)].map((content) => deliver(a, b, seal(a, b.identity.peer, content)));
    await here.clock.advance(20_000);
    for (const answer of await Promise.all(twice)) expect(answer).toMatchObject({ outcome: 'taken' });
    expect(calls).toBe(1);
    expect(await b.texts()).toEqual(['1']);
  });

  test('what cannot be sent, before it is written down', async () => {
    const here = place();
    const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
    const [to, nowMs] = [b.identity.peer, here.clock.nowMs()];
    const code = async (message: Parameters<typeof a.messenger.send>[0]) =>
      a.messenger.send(message).catch((error: unknown) => (PeerAiError.is(error) ? error.code : String(error)));
    expect(await code(text(a.identity.peer))).toBe('WRONG_RECIPIENT');
    expect(await code({ ...text(to), payload: undefined })).toBe('INVALID_FORMAT');
    expect(await code({ ...text(to), kind: '' })).toBe('INVALID_FORMAT');
    expect(await code({ ...text(to), expiresMs: nowMs })).toBe('EXPIRED');
    expect(await code({ ...text(to), expiresMs: nowMs + limits.lifeMsMax + 1 })).toBe('LIMIT_EXCEEDED');
    expect(await code({ ...text(to), expiresMs: nowMs + limits.lifeMsMax })).toMatch(/^[0-9a-f]{32}$/u);
    expect(await code(text(to, 'x'.repeat(1_048_576)))).toBe('LIMIT_EXCEEDED');
    expect(await code(text(to, 'x'.repeat(1_048_000)))).toMatch(/^[0-9a-f]{32}$/u);
    await here.clock.advance(0);
    expect(await b.texts()).toHaveLength(2);
    expect(await a.messenger.outcomes()).toHaveLength(2);
  });

  test('waits so long where its sender does not say how long, and no millisecond more', async () => {
    for (const more of [0, 1]) {
      const here = place();
      const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
      here.networks.kill(b.identity.peer);
      await a.stop();
      const id = await a.messenger.send(text(b.identity.peer));
      here.clock.jump(limits.lifeMsDefault + more);
      await a.messenger.start(new AbortController().signal);
      await here.clock.advance(0);
      const { state } = (await a.messenger.status(id)) ?? {};
      expect(state).toBe(more === 0 ? 'queued' : 'expired');
      a.die();
    }
  });

  test('one message more than the outbox holds for a peer; other peers are not concerned', async () => {
    const here = place();
    const [a, b, c] = [await messageWorld(1, here), await messageWorld(2, here), await messageWorld(3, here)];
    here.networks.kill(b.identity.peer);
    for (let n = 0; n < limits.outboxMessagesPerPeerMax; n += 1) await a.messenger.send(text(b.identity.peer, n));
    await expect(a.messenger.send(text(b.identity.peer))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await a.messenger.send(text(c.identity.peer));
    await settle();
    expect(await c.texts()).toEqual(['"hello"']);
  });
});

test('start and stop may be called twice, and a stopped messenger delivers nothing until it starts again', async () => {
  const here = place();
  const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
  await a.messenger.start(new AbortController().signal);
  await a.stop();
  await a.stop();
  await a.messenger.send(text(b.identity.peer));
  await here.clock.advance(hour);
  expect(await b.texts()).toEqual([]);
  expect(here.clock.pending).toBe(0);
  await a.messenger.start(new AbortController().signal);
  await here.clock.advance(0);
  expect(await b.texts()).toEqual(['"hello"']);
});

test('what is remembered of handled letters is forgotten a day after they expire, and limited per sender', async () => {
  const here = place();
  const [a, b] = [await messageWorld(1, here), await messageWorld(2, here)];
  const room = b.store.room('messages');
  const marks = async (): Promise<number> => {
    let count = 0;
    for await (const row of room.range('in/', 'in0')) count += row.key.length > 0 ? 1 : 0;
    return count;
  };
  await a.messenger.send({ ...text(b.identity.peer), expiresMs: here.clock.nowMs() + hour });
  await here.clock.advance(0);
  expect(await marks()).toBe(1);
  await here.clock.advance(hour + limits.sweepMsMin);
  await a.messenger.send(text(b.identity.peer));
  await here.clock.advance(0);
  expect(await marks()).toBe(2);
  await here.clock.advance(limits.sweepMarginMs);
  await a.messenger.send(text(b.identity.peer));
  await here.clock.advance(0);
  expect(await marks()).toBe(2);
  const many = Array.from({ length: limits.inboxMarksPerPeerMax - 2 }, (_, n) =>
    room.put(`in/${a.identity.peer}/x${n}`, Uint8Array.of(1)),
  );
  await room.commit(many);
  b.die();
  const again = await messageWorld(2, here, { store: b.store.reopen() });
  const id = await a.messenger.send(text(again.identity.peer));
  await here.clock.advance(5_000);
  expect(await a.messenger.status(id)).toMatchObject({ state: 'queued', code: 'LIMIT_REACHED' });
  await again.store.room('messages').commit(many.slice(0, 1).map(({ key }) => ({ key, value: undefined })));
  again.die();
  const third = await messageWorld(2, here, { store: again.store.reopen() });
  await here.clock.advance(72_000);
  expect(await a.messenger.status(id)).toMatchObject({ state: 'delivered' });
  expect(await third.texts()).toHaveLength(4);
});

test('one kind has one handler, and none after it is disposed', async () => {
  const here = place();
  const [a, b] = [await messageWorld(1, here), await messageWorld(2, here, { hasHandler: false })];
  const handler = async () => [];
  const registered = b.messenger.handle('text', handler);
  expect(() => b.messenger.handle('text', handler)).toThrow('handled already');
  registered[Symbol.dispose]();
  await a.messenger.send(text(b.identity.peer));
  await here.clock.advance(0);
  expect(a.outcomes).toMatchObject([{ state: 'refused', code: 'UNKNOWN_KIND' }]);
});
