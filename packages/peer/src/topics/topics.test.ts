import { memoryTopics } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { forkOf } from '../testing/fork.ts';
import { testWorld } from '../testing/peers.ts';
import { pair, until } from '../testing/steps.ts';
import type { TopicMessageView } from './topics.schema.ts';

async function scene() {
  const world = testWorld();
  const [a, b, stranger] = [await world.peer('a'), await world.peer('b'), await world.peer('stranger')];
  await pair(world, a, b);
  const stop = new AbortController();
  const heard: TopicMessageView[] = [];
  const ended = (async () => {
    for await (const message of b.peer.topics.subscribe('news', stop.signal)) heard.push(message);
  })();
  return { world, a, b, stranger, stop, heard, ended };
}

test('what a device publishes reaches who listens to that topic, with its author, until it stops', async () => {
  const { world, a, stop, heard, ended } = await scene();
  await a.peer.topics.publish('other', 'not this');
  await a.peer.topics.publish('news', { n: 1 });
  await until(world.clock, () => heard.length > 0);
  expect(heard).toMatchObject([{ topic: 'news', fromName: 'a', from: a.identity.peer, payload: { n: 1 } }]);
  stop.abort();
  await ended;
  await a.peer.topics.publish('news', 2);
  await world.clock.advance(100);
  expect(heard).toHaveLength(1);
});

test('a stranger, a blocked device, one that was proven to have two histories, and bytes that say nothing are not heard', async () => {
  const { world, a, b, stranger, heard } = await scene();
  await stranger.peer.topics.publish('news', 'spam');
  await memoryTopics(world.networks, a.identity.peer).publish('user/news', new Uint8Array([0xff, 1]));
  await memoryTopics(world.networks, a.identity.peer).publish('user/news', new TextEncoder().encode('{"payload":1}'));
  await b.peer.peers.change('a', { blocked: true });
  await a.peer.topics.publish('news', 'blocked');
  await b.peer.peers.change('a', { blocked: false });
  await b.peer.logs.accuse(await forkOf(a.identity));
  await a.peer.topics.publish('news', 'refused');
  await b.peer.logs.pardon('a', true);
  await a.peer.topics.publish('news', 'back');
  await until(world.clock, () => heard.length > 0);
  expect(heard.map(({ payload }) => payload)).toEqual(['back']);
});

test('a message of exactly the limit is published, one byte more is not; a name has its letters', async () => {
  const { world, a, heard } = await scene();
  const frame = JSON.stringify({ payload: '', sentMs: world.clock.nowMs() }).length;
  const text = 'x'.repeat(limits.topicBytesMax - frame);
  await a.peer.topics.publish('news', text);
  await expect(a.peer.topics.publish('news', `${text}x`)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  await until(world.clock, () => heard.length > 0);
  await a.peer.topics.publish('a'.repeat(64), 1);
  for (const name of ['', 'a/b', 'a'.repeat(65)])
    await expect(a.peer.topics.publish(name, 1)).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
});

test('as many subscriptions are open as the limit says; the next one finds room when one ends', async () => {
  const { a } = await scene();
  const stops = Array.from({ length: limits.topicsOpenMax }, () => new AbortController());
  for (const { signal } of stops) a.peer.topics.subscribe('news', signal);
  const one = () => a.peer.topics.subscribe('news', new AbortController().signal);
  expect(one).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  stops[0]?.abort();
  expect(one).not.toThrow();
});

test('a filter lets through only the messages it holds for; one that cannot be read is refused', async () => {
  const { world, a, b, heard } = await scene();
  const warm: unknown[] = [];
  void (async () => {
    const where = 'celsius>20 and room=kitchen';
    for await (const { payload } of b.peer.topics.subscribe('news', new AbortController().signal, where))
      warm.push(payload);
  })();
  const messages = [{ celsius: 25 }, { celsius: 25, room: 'kitchen' }, 'text', { celsius: 19, room: 'kitchen' }];
  for (const message of messages) await a.peer.topics.publish('news', message);
  await until(world.clock, () => heard.length === messages.length);
  expect(warm).toEqual([{ celsius: 25, room: 'kitchen' }]);
  expect(() => b.peer.topics.subscribe('news', new AbortController().signal, 'a or b')).toThrow(
    expect.objectContaining({ code: 'INVALID_FORMAT' }),
  );
});
