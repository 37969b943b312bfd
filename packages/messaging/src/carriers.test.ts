import { type Opened, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import type { Letter } from './letter.ts';
import { createMessenger } from './messenger.ts';
import type { Carrier } from './outbox/courier.ts';

const ending: AbortController[] = [];
afterEach(() => {
  for (const one of ending.splice(0)) one.abort();
});

async function two(carriers: readonly Carrier[], isRefused: (from: PeerId) => boolean = () => false) {
  const isGranted = (): boolean => true;
  const here = memoryWorld({ seed: 1, isGranted });
  const there = memoryWorld({ seed: 2, isGranted, clock: here.clock, networks: here.networks });
  const stop = new AbortController();
  ending.push(stop);
  const seen: string[] = [];
  const receiver = createMessenger({ ...there, isRefused });
  const take = async ({ payload }: Opened) => {
    seen.push(String(payload));
    return [there.store.put('seen', new Uint8Array([seen.length]))];
  };
  receiver.handle('text', take);
  await receiver.start(stop.signal);
  const sender = createMessenger({ ...here, carriers });
  await sender.start(stop.signal);
  const to = there.identity.peer;
  return { here, there, sender, receiver, seen, to, signal: stop.signal };
}

const carrier = (reach: 'only' | 'also' | undefined, carry: Carrier['carry']): Carrier => ({
  path: 'http',
  reach: () => reach,
  carry,
});

test('a letter takes another way only when no live link gets through, and the way is told', async () => {
  const carried: string[] = [];
  const other = carrier('also', async (_, { content }) => {
    carried.push(content);
    return { outcome: 'taken', code: undefined };
  });
  const { here, there, sender, seen, to } = await two([other]);
  const first = await sender.send({ to, kind: 'text', payload: 'one' });
  await here.clock.advance(100);
  here.networks.cut(here.identity.peer, there.identity.peer);
  const second = await sender.send({ to, kind: 'text', payload: 'two' });
  await here.clock.advance(60_000);
  expect([seen, carried]).toEqual([['one'], ['"two"']]);
  expect(await sender.status(first)).toMatchObject({ state: 'delivered', path: 'link' });
  expect(await sender.status(second)).toMatchObject({ state: 'delivered', path: 'http' });
});

test('a peer with that way only is never dialled, and a refusal there is final', async () => {
  const other = carrier('only', async () => ({ outcome: 'refused', code: 'UNKNOWN_KIND' }));
  const { here, sender, seen, to } = await two([other]);
  const id = await sender.send({ to, kind: 'text', payload: 'one' });
  await here.clock.advance(100);
  expect(seen).toEqual([]);
  expect(await sender.status(id)).toMatchObject({ state: 'refused', code: 'UNKNOWN_KIND', path: 'http' });
});

test('when that way fails too the letter waits, tells why, and goes over the link that comes back', async () => {
  const other = carrier('also', async () => {
    throw new PeerAiError('RATE_LIMITED', 'later');
  });
  const { here, there, sender, seen, to } = await two([other]);
  here.networks.cut(here.identity.peer, there.identity.peer);
  const id = await sender.send({ to, kind: 'text', payload: 'one' });
  await here.clock.advance(60_000);
  expect(await sender.status(id)).toMatchObject({ state: 'queued', code: 'RATE_LIMITED' });
  here.networks.heal(here.identity.peer, there.identity.peer);
  await here.clock.advance(120_000);
  expect([seen, (await sender.status(id))?.path]).toEqual([['one'], 'link']);
});

test('what came another way is handled once, also for another name of the same owner, and not by a stopped messenger', async () => {
  const { here, there, receiver, seen, signal } = await two([]);
  const letter: Letter = {
    id: 'a'.repeat(32),
    sender: here.identity.peer,
    kind: 'text',
    payload: 'one',
    sentMs: 1,
    expiresMs: here.clock.nowMs() + 1_000,
    proven: new Set(),
  };
  const owner = there.identity.peer;
  expect(await receiver.receive(letter, signal, owner)).toMatchObject({ outcome: 'taken', isRepeated: false });
  expect(await receiver.receive({ ...letter, sender: owner }, signal, owner)).toMatchObject({ isRepeated: true });
  expect(await receiver.receive({ ...letter, kind: 'other', id: 'b'.repeat(32) }, signal)).toMatchObject({
    outcome: 'refused',
    code: 'UNKNOWN_KIND',
  });
  expect(seen).toEqual(['one']);
  await receiver.stop();
  await expect(receiver.receive(letter, signal)).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }));
});

test('what comes from who is refused is handled neither over a link nor another way, until it is refused no more', async () => {
  const refused = new Set<PeerId>();
  const { here, sender, receiver, seen, to, signal } = await two([], (peer) => refused.has(peer));
  const { peer } = here.identity;
  refused.add(peer);
  const id = await sender.send({ to, kind: 'text', payload: 'one' });
  await here.clock.advance(100);
  expect(await sender.status(id)).toMatchObject({ state: 'refused', code: 'REFUSED' });
  const letter: Letter = {
    id: 'c'.repeat(32),
    sender: peer,
    kind: 'text',
    payload: 'two',
    sentMs: 1,
    expiresMs: here.clock.nowMs() + 1_000,
    proven: new Set(),
  };
  expect(await receiver.receive(letter, signal)).toMatchObject({ outcome: 'refused', code: 'REFUSED' });
  refused.delete(peer);
  expect(await receiver.receive(letter, signal)).toMatchObject({ outcome: 'taken', isRepeated: false });
  expect(seen).toEqual(['two']);
});
