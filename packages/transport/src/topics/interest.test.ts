import { afterEach, expect, test } from 'vitest';
import { createTestNodes, until } from '../testing/index.ts';
import type { RunningTopics } from './topics.ts';

const nodes = createTestNodes();
const stop = new AbortController();
afterEach(() => nodes.stopAll());

test('what a subscription passes over does not come out of it, and still goes on to those behind it', async () => {
  // A line: a and c know only b.
  const b = await nodes.agent();
  const bootstrap = [b.network.addresses()[0] ?? ''];
  const [a, c] = [await nodes.agent({ bootstrap, listen: [] }), await nodes.agent({ bootstrap, listen: [] })];
  const heard: Record<'b' | 'c', number[]> = { b: [], c: [] };
  const listen = (node: typeof b, name: 'b' | 'c', judge: (first: number) => 'accept' | 'pass'): void => {
    const messages = node.topics.subscribe('news', ([first = 0]) => judge(first), stop.signal);
    void (async () => {
      for await (const [first = 0] of messages) heard[name].push(first);
    })();
  };
  listen(b, 'b', (first) => (first % 2 === 0 ? 'accept' : 'pass'));
  listen(c, 'c', () => 'accept');
  await until(() => (a.topics as RunningTopics).subscribers('news').length > 0);
  await until(() => (b.topics as RunningTopics).subscribers('news').length > 0);
  for (let round = 1; round <= 60 && heard.c.length === 0; round += 1) {
    await a.topics.publish('news', Uint8Array.of(1, round));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (let value = 2; value <= 7; value += 1) await a.topics.publish('news', Uint8Array.of(value));
  await until(() => heard.c.includes(7) && heard.b.includes(6));
  expect(heard.b).toEqual([2, 4, 6]);
  expect(heard.c.filter((value) => value > 1)).toEqual([2, 3, 4, 5, 6, 7]);
});
