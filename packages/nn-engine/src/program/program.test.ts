import { expect, onTestFinished, test, vi } from 'vitest';

import { limits } from '../limits.ts';
import { loadId } from './messages.ts';
import { workerRuntime } from './program.ts';

/** Workers that take whatever comes, and how many bytes each was started with. */
function runtime() {
  const started: number[] = [];
  const made = workerRuntime(
    ({ graph }, { reply }) => {
      started.push(graph.length);
      queueMicrotask(() => reply({ id: loadId }));
      return { post: () => undefined, waited: () => undefined, end: async () => undefined };
    },
    () => 1,
  );
  return { started, made };
}

test('a graph of `graphBytesMax` goes to a worker; of one byte more no worker hears', async () => {
  const { started, made } = runtime();
  const { signal } = new AbortController();
  const room = new ArrayBuffer(limits.graphBytesMax + 1);
  await using _ = await made.load(new Uint8Array(room, 0, limits.graphBytesMax), { signal });
  await expect(made.load(new Uint8Array(room), { signal })).rejects.toThrow(
    expect.objectContaining({ code: 'MODEL_REFUSED', details: { bytes: limits.graphBytesMax + 1 } }),
  );
  expect(started).toEqual([limits.graphBytesMax]);
});

test('a worker that does not load is given up after `loadMsMax`, not a millisecond before, and ended', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const ended: string[] = [];
  const made = workerRuntime(
    () => ({ post: () => undefined, waited: () => undefined, end: async () => void ended.push('worker') }),
    () => 1,
  );
  const loading = made.load(new Uint8Array(1), { signal: new AbortController().signal });
  const outcome = loading.then(
    () => 'loaded',
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(limits.loadMsMax - 1);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ code: 'RUN_LIMIT' });
  expect(ended).not.toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
