import type { Connection, Stream } from '@libp2p/interface';
import type { Clock } from '@peerai/core-protocol';
import { ManualClock, seededRandom, settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { measureLink } from './link-ping.ts';
import type { LinkEntry } from './link-table.ts';

/** A link whose other side answers when told to, and a clock whose sleeps end one by one. */
function silentLink(lateTicks = 0) {
  const manual = new ManualClock();
  const sleeps: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => manual.nowMs(),
    elapsedMs: () => manual.elapsedMs(),
    deadline: (ms, parent) => manual.deadline(ms, parent),
    sleep: () => new Promise((resolve) => void sleeps.push(resolve)),
  };
  const stream = Object.assign(new EventTarget(), { status: 'closed', send: () => true });
  const state = { status: 'open', measuredMs: 0 };
  const connection = {
    get status() {
      return state.status;
    },
    streams: [],
    newStream: async () => stream as unknown as Stream,
    abort: () => void (state.status = 'aborted'),
  };
  const entry = {
    connection: connection as unknown as Connection,
    lateTicks,
    measured: (ms: number) => void (state.measuredMs = ms),
  };
  const stop = new AbortController();
  const measuring = measureLink(entry as unknown as LinkEntry, { clock, random: seededRandom(1) }, stop.signal);
  return {
    state,
    measuring,
    stop,
    /** As a process that did nothing so long: time has passed, and each timer fires once. */
    standStill: async (ms: number): Promise<void> => {
      await manual.advance(ms);
      for (const wake of sleeps.splice(0)) wake();
      await settle();
    },
    answer: () => void stream.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8Array(32) })),
  };
}

test('a process that stood still for a minute reads the answer before it gives a link up', async () => {
  const { state, measuring, standStill, answer } = silentLink();
  await settle();
  await standStill(60_000);
  answer();
  expect(await measuring).toBe(true);
  expect(state).toEqual({ status: 'open', measuredMs: 60_000 });
});

test('a link that is silent for so many ticks is ended, and not one sooner', async () => {
  const { state, measuring, standStill } = silentLink();
  for (let tick = 1; tick < limits.linkPingTicks; tick += 1) await standStill(limits.heartbeatTickMs);
  expect(state.status).toBe('open');
  await standStill(limits.heartbeatTickMs);
  expect(await measuring).toBe(false);
  expect(state.status).toBe('aborted');
});

test('a far link gets more ticks', async () => {
  const { state, measuring, standStill } = silentLink(3);
  for (let tick = 0; tick < limits.linkPingTicks + 2; tick += 1) await standStill(limits.heartbeatTickMs);
  expect(state.status).toBe('open');
  await standStill(limits.heartbeatTickMs);
  expect(await measuring).toBe(false);
});

test('a node that stops ends the wait, and not the link', async () => {
  const { state, measuring, stop } = silentLink();
  await settle();
  stop.abort();
  expect(await measuring).toBe(false);
  expect(state.status).toBe('open');
});
