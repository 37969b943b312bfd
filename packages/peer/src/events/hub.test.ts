import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createEventHub } from './hub.ts';

async function take(events: AsyncIterable<{ readonly id: number }>, count: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of events) {
    ids.push(id);
    if (ids.length === count) break;
  }
  return ids;
}

describe('event hub', () => {
  test('a reader sees each event once and in order', async () => {
    const hub = createEventHub();
    const seen = take(hub.subscribe(new AbortController().signal), 3);
    await Promise.resolve();
    for (let index = 0; index < 3; index += 1) hub.emit({ type: 'models-changed' });
    expect(await seen).toEqual([1, 2, 3]);
  });

  test('a reader that comes back gets what it missed', async () => {
    const hub = createEventHub();
    for (let index = 0; index < 5; index += 1) hub.emit({ type: 'models-changed' });
    expect(await take(hub.subscribe(new AbortController().signal, 3), 2)).toEqual([4, 5]);
  });

  test('a reader exactly at the limit keeps everything, one event more ends it', async () => {
    for (const extra of [0, 1]) {
      const hub = createEventHub();
      const iterator = hub.subscribe(new AbortController().signal)[Symbol.asyncIterator]();
      const first = iterator.next();
      hub.emit({ type: 'models-changed' });
      await first;
      for (let index = 0; index < limits.eventsKeptMax + extra; index += 1) hub.emit({ type: 'models-changed' });
      for (let index = 0; index < limits.eventsKeptMax; index += 1) await iterator.next();
      const after = iterator.next();
      hub.emit({ type: 'models-changed' });
      expect((await after).done ?? false).toBe(extra === 1);
    }
  });

  test('a reader that comes back hears the last `eventsKeptMax` events, and none before', async () => {
    const hub = createEventHub();
    for (let index = 0; index <= limits.eventsKeptMax; index += 1) hub.emit({ type: 'models-changed' });
    const heard = await take(hub.subscribe(new AbortController().signal, 0), limits.eventsKeptMax);
    expect(heard).toEqual(Array.from({ length: limits.eventsKeptMax }, (_, at) => at + 2));
  });

  test('an aborted reader ends', async () => {
    const hub = createEventHub();
    const stop = new AbortController();
    const seen = take(hub.subscribe(stop.signal), 1);
    stop.abort();
    expect(await seen).toEqual([]);
  });
});
