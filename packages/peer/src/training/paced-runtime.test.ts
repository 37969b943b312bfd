import type { Program, Runtime } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { live } from '../testing/steps.ts';
import { pacedRuntime } from './paced-runtime.ts';

/** Each run takes a second. */
function slow(clock: ManualClock): Runtime {
  const program: Program = {
    async run(feeds, signal) {
      await clock.sleep(1_000, signal);
      return feeds;
    },
    read: async () => ({ type: 'float32', shape: [], data: new Float32Array(1) }),
    write: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { load: async () => program };
}

test.each([
  [1, 10_000, 1],
  [0.5, 20_000, 0.5],
  [0.25, 40_000, 0.25],
])('with a share of %d ten runs of a second take %d ms, and it is told to be as busy', async (share, ms, busy) => {
  const clock = new ManualClock();
  const runtime = pacedRuntime(slow(clock), clock, () => share);
  const program = await runtime.load(new Uint8Array(), { signal: live() });
  expect(runtime.busy()).toBe(0);
  for (let run = 0; run < 10; run += 1) await clock.until(program.run({}, live()));
  expect(clock.elapsedMs()).toBe(ms);
  expect(runtime.busy()).toBeCloseTo(busy, 1);
  await clock.advance(limits.trainingBusyMs);
  expect(runtime.busy()).toBe(0);
});

test('who leaves does not wait for the rest', async () => {
  const clock = new ManualClock();
  const leaving = new AbortController();
  const program = await pacedRuntime(slow(clock), clock, () => 0.1).load(new Uint8Array(), { signal: live() });
  const run = program.run({}, leaving.signal);
  await clock.advance(1_000);
  leaving.abort();
  await run;
  expect(clock.elapsedMs()).toBe(1_000);
});
