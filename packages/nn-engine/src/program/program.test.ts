import { expect, test } from 'vitest';

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
