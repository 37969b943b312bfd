import type { Tensor } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { type Served, WorkerFailure } from '../program/session.ts';
import { adapterOf } from './adapter.ts';
import { untilItFails } from './first-run.ts';

const scalar = (value: number): Tensor => ({ type: 'float32', shape: [], data: Float32Array.of(value) });

/** Counts up in the carried `count`; `fails` says what run, counted from 0, throws what. */
function counter(fails: (run: number) => Error | undefined = () => undefined) {
  const seen = { runs: 0, count: 0, isReleased: false };
  const served: Served = {
    async run() {
      const error = fails(seen.runs);
      seen.runs += 1;
      if (error !== undefined) throw error;
      seen.count += 1;
      return { count: scalar(seen.count) };
    },
    settle: () => undefined,
    read: async () => scalar(seen.count),
    write: (_, { data }) => void (seen.count = Number(data[0])),
    release: async () => void (seen.isReleased = true),
  };
  return { served, seen };
}

describe('A session that may not fit', () => {
  const broken = new Error('eleven storage buffers');

  it('gives its state and its first run to another, which stays', async () => {
    const [first, second] = [counter(() => broken), counter()];
    const causes: unknown[] = [];
    const session = untilItFails(first.served, ['count'], async (cause) => {
      causes.push(cause);
      return second.served;
    });
    session.write('count', scalar(40));
    expect(Number((await session.run({}))['count']?.data[0])).toBe(41);
    await session.run({});
    expect(Number((await session.read('count')).data[0])).toBe(42);
    expect([causes, first.seen.runs, first.seen.isReleased]).toEqual([[broken], 1, true]);
  });

  it('stays when the feeds were wrong, or once it has run', async () => {
    const wrong = new WorkerFailure('SHAPE_MISMATCH', 'two and three');
    const { served } = counter((run) => [wrong, undefined, broken][run]);
    const session = untilItFails(served, [], () => Promise.reject(new Error('not asked for')));
    await expect(session.run({})).rejects.toBe(wrong);
    await session.run({});
    await expect(session.run({})).rejects.toBe(broken);
  });
});

it('tells no WebGPU from WebGPU without an adapter', async () => {
  const withGpu = (requestAdapter: () => Promise<unknown>) => adapterOf({ gpu: { requestAdapter } });
  expect(await adapterOf({})).toBe('no-webgpu');
  expect(await withGpu(async () => null)).toBe('no-adapter');
  expect(await withGpu(() => Promise.reject(new Error('blocked')))).toBe('no-adapter');
  expect(await withGpu(async () => ({}))).toBe('there');
});
