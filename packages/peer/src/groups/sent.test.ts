import { MemoryStore } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { openSent } from './sent.ts';

test('so many sent messages are kept and no more, the oldest go first, also those of an earlier run', async () => {
  const store = new MemoryStore();
  const messages = Array.from({ length: limits.groupSentMax + 1 }, (_, at) => ({
    id: String(at).padStart(32, '0'),
    group: 'ab',
    kind: 'text',
    payload: at,
    sentMs: at,
  }));
  const first = openSent(store, () => Promise.resolve(undefined));
  for (const message of messages.slice(0, -1)) await first.keep(message);
  expect(await first.list('ab')).toHaveLength(limits.groupSentMax);
  const later = openSent(store, () => Promise.resolve(undefined));
  for (const message of messages.slice(-1)) await later.keep(message);
  const kept = await later.list('ab');
  expect([kept.length, kept[0]?.payload, kept.at(-1)?.payload]).toEqual([limits.groupSentMax, limits.groupSentMax, 1]);
  // Its way is remembered no more: nobody is named.
  expect(kept[0]?.members).toEqual([]);
});
