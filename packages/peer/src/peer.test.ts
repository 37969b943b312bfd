import { PeerAiError } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { testWorld } from './testing/peers.ts';
import { ask, live, pair, textOf, until } from './testing/steps.ts';

test('two people who compare the same emoji become paired, and one asks the other', async () => {
  const world = testWorld();
  const a = await world.peer('study-pc');
  const b = await world.peer('laptop', { engine: false });
  const { link } = await a.peer.pairing.invite(['chat']);
  const outgoing = await b.peer.pairing.join(link, live());
  const incoming = a.peer.pairing.list().pending[0];
  expect(incoming?.emoji).toEqual(outgoing.emoji);
  expect(outgoing.emoji).toHaveLength(4);
  expect(a.peer.peers.list()).toEqual([expect.objectContaining({ kind: 'guest' })]);
  await a.peer.pairing.accept(outgoing.id);
  await until(world.clock, () => b.peer.peers.list().some(({ models }) => models.includes('echo')));

  const events = await ask(world, b, 'echo', 'hello there');
  expect(textOf(events)).toBe('echo: hello there');
  const finish = events.at(-1);
  expect(finish).toMatchObject({ type: 'finish', servedBy: { name: 'study-pc', path: 'direct', signed: true } });
  await until(world.clock, async () => (await a.peer.books.head()).size === 1);
  expect(await b.peer.books.verify()).toMatchObject({ ok: true, size: 1, receipts: 1 });
  expect(await a.peer.books.verify()).toMatchObject({ ok: true, size: 1, receipts: 1 });
});

test('an invite works once, and only for ten minutes', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const b = await world.peer('b');
  const c = await world.peer('c');
  const first = await a.peer.pairing.invite(['chat']);
  await b.peer.pairing.join(first.link, live());
  await expect(c.peer.pairing.join(first.link, live())).rejects.toSatisfy((error) =>
    PeerAiError.is(error, 'INVITE_USED'),
  );
  const second = await a.peer.pairing.invite(['chat']);
  await world.clock.advance(600_001);
  await expect(c.peer.pairing.join(second.link, live())).rejects.toSatisfy((error) =>
    PeerAiError.is(error, 'INVITE_EXPIRED'),
  );
});

test('a device that is blocked is refused at once, and after a restart too', async () => {
  const world = testWorld();
  const a = await world.peer('a', { seed: 11 });
  const b = await world.peer('b', { engine: false });
  await pair(world, a, b);
  await a.peer.peers.change('b', { blocked: true });
  expect((await ask(world, b, 'echo', 'hi')).at(-1)).toMatchObject({ type: 'error', code: 'PEER_BLOCKED' });
  await a.peer.stop();
  const again = await world.peer('a', { seed: 11, store: a.store });
  expect(again.peer.isBlocked(b.identity.peer)).toBe(true);
  expect((await ask(world, b, 'echo', 'hi')).at(-1)).toMatchObject({ type: 'error', code: 'PEER_BLOCKED' });
});

test('a paired device without the right to chat is refused', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const b = await world.peer('b', { engine: false });
  await pair(world, a, b);
  await a.peer.peers.change('b', { allow: [] });
  expect((await ask(world, b, 'echo', 'hi')).at(-1)).toMatchObject({ type: 'error', code: 'NOT_GRANTED' });
});

test('an unknown model is refused with the names of those there are', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const [event] = await ask(world, a, 'nothing', 'hi');
  expect(event).toMatchObject({
    type: 'error',
    code: 'MODEL_UNKNOWN',
    message: expect.stringContaining('echo') as string,
  });
});

test('a message to a device that is away arrives when it is back, once', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const b = await world.peer('b', { seed: 21 });
  await pair(world, a, b);
  await b.peer.stop();
  world.networks.kill(b.identity.peer);
  const sending = a.peer.messages.deliver('b', 'text', 'are you there?');
  let delivery: Awaited<typeof sending> | undefined;
  void sending.then((one) => (delivery = one));
  expect(await until(world.clock, () => delivery)).toMatchObject({ state: 'queued' });
  expect(await a.peer.messages.counts()).toMatchObject({ waiting: 1, ended: { delivered: 0 } });
  const again = await world.peer('b', { seed: 21, store: b.store });
  await until(world.clock, async () => (await again.peer.messages.list()).length === 1);
  await until(world.clock, async () => (await a.peer.messages.counts()).waiting === 0);
  expect(await a.peer.messages.counts()).toMatchObject({ mailboxes: 0, ended: { delivered: 1, refused: 0 } });
  expect((await again.peer.messages.list())[0]).toMatchObject({ payload: 'are you there?', fromName: 'a' });
});

test('what is urgent overtakes what waits for a device that is away', async () => {
  const world = testWorld();
  const a = await world.peer('a');
  const b = await world.peer('b', { seed: 22 });
  await pair(world, a, b);
  await b.peer.stop();
  world.networks.kill(b.identity.peer);
  for (const priority of ['low', 'normal', 'high'] as const)
    await world.clock.until(a.peer.messages.deliver('b', 'text', priority, priority));
  const again = await world.peer('b', { seed: 22, store: b.store });
  const told: unknown[] = [];
  void (async () => {
    for await (const { event } of again.peer.events.subscribe(live()))
      if (event.type === 'message-received') told.push(event.message.payload);
  })();
  await until(world.clock, async () => {
    // What opens several letters in one frame is loaded at the first one, in true time.
    await new Promise<void>((resolve) => void setTimeout(resolve, 10));
    return (await again.peer.messages.list()).length === 3;
  });
  expect(told).toEqual(['high', 'normal', 'low']);
});

test('a long system text of the provider is its own matter: the answer is still signed, and what follows too', async () => {
  const world = testWorld();
  const systemPrompt = Array.from({ length: 400 }, (_, index) => `rule${index}`).join(' ');
  const a = await world.peer('a', { settings: { systemPrompt } });
  const b = await world.peer('b', { engine: false });
  await pair(world, a, b);
  for (const question of ['hi', 'again']) {
    expect((await ask(world, b, 'echo', question, 2_000)).at(-1)).toMatchObject({
      type: 'finish',
      servedBy: { signed: true },
    });
  }
});
