import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { ManualClock } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { createStunResponder, realClock, realRandom, type StunResponder } from '../testing/index.ts';
import { createStunProbe, type StunProbe } from './stun-probe.ts';
import { limits } from './limits.ts';
import type { StunServer } from './servers.ts';

const responders: StunResponder[] = [];
afterEach(() => Promise.all(responders.splice(0).map((one) => one.stop())));

async function responder(seen?: { readonly host: string; readonly port: number }): Promise<StunServer> {
  const one = await createStunResponder('127.0.0.1', 0, seen === undefined ? undefined : () => seen);
  responders.push(one);
  return { host: '127.0.0.1', port: one.port };
}
const logger = { debug() {}, info() {}, warn() {}, error() {} };
async function probed(servers: readonly StunServer[]): Promise<StunProbe> {
  const probe = createStunProbe({ clock: realClock, random: realRandom, logger }, servers);
  await probe.round(AbortSignal.timeout(10_000));
  return probe;
}
const outer = { host: '203.0.113.9', port: 61_000 };

test('a server that sees this machine’s own address and port says that no router is between', async () => {
  const server = await responder();
  const { stunServers, mapping } = (await probed([server])).facts();
  expect(mapping).toBe('none');
  expect(stunServers).toMatchObject([{ server: `127.0.0.1:${server.port}` }]);
  expect(stunServers[0]?.seenAs).toMatch(/^127\.0\.0\.1:\d+$/);
});

test.each([
  ['same', outer, outer],
  ['differs', outer, { ...outer, port: 61_001 }],
  ['differs', outer, { ...outer, host: '203.0.113.10' }],
] as const)('two servers that see %s outer address', async (mapping, first, second) => {
  const probe = await probed([await responder(first), await responder(second)]);
  expect(probe.facts().mapping).toBe(mapping);
});

test('one server behind a router says nothing of how it treats others', async () => {
  expect((await probed([await responder(outer)])).facts()).toMatchObject({
    stunServers: [{ seenAs: '203.0.113.9:61000' }],
  });
  expect((await probed([await responder(outer)])).facts()).not.toHaveProperty('mapping');
});

test('an answer of so many bytes is read, one that is longer is none', async () => {
  const usable = await Promise.all(
    [limits.stunAnswerBytesMax, limits.stunAnswerBytesMax + 4].map(async (bytes) => {
      const one = await createStunResponder('127.0.0.1', 0, () => outer, bytes);
      responders.push(one);
      const clock = new ManualClock();
      const probe = createStunProbe({ clock, random: realRandom, logger }, [{ host: '127.0.0.1', port: one.port }]);
      const round = probe.round(AbortSignal.timeout(5_000));
      if (bytes > limits.stunAnswerBytesMax) await clock.until(round);
      await round;
      return probe.usable().length;
    }),
  );
  expect(usable).toEqual([1, 0]);
});

test('a silent server is left out, alone or beside others', async () => {
  const silent = { host: '127.0.0.1', port: (await responder()).port };
  await responders.pop()?.stop();
  const there = await responder(outer);
  const probe = await probed([silent, there]);
  expect(probe.usable()).toEqual([there]);
  expect(probe.facts().stunServers[0]).toEqual({ server: `127.0.0.1:${silent.port}` });
  const clock = new ManualClock();
  const alone = createStunProbe({ clock, random: realRandom, logger }, [silent]);
  await clock.until(alone.round(new AbortController().signal));
  expect(alone.usable()).toEqual([]);
  expect(alone.facts().isKnown).toBe(true);
});

test('before the first round every server may be used, and no more than the limit are asked', () => {
  const servers = Array.from({ length: limits.stunServersMax + 1 }, (_, index) => ({ host: 'x', port: index + 1 }));
  const probe = createStunProbe({ clock: realClock, random: realRandom, logger }, servers);
  expect(probe.usable()).toEqual(servers.slice(0, limits.stunServersMax));
  expect(probe.facts().isKnown).toBe(false);
  expect(probe.facts().stunServers).toHaveLength(limits.stunServersMax);
});

test('servers that say nothing are asked again when UDP may have lost it, for so long, and all anew soon', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const socket = createSocket('udp4', () => void (asked += 1));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const probe = createStunProbe({ clock, random: realRandom, logger }, [
    { host: '127.0.0.1', port: socket.address().port },
  ]);
  const stopping = new AbortController();
  const running = probe.run(stopping.signal);
  const times = (count: number) => expect.poll(() => asked, { timeout: 15_000 }).toBe(count);
  await times(1);
  let passedMs = 0;
  for (const [place, atMs] of limits.stunAgainMs.entries()) {
    await clock.advance(atMs - passedMs);
    passedMs = atMs;
    await times(2 + place);
  }
  await clock.advance(limits.stunMs - passedMs - 1);
  expect(probe.facts().isKnown).toBe(false);
  await clock.advance(1);
  await expect.poll(() => probe.facts().isKnown, { timeout: 15_000 }).toBe(true);
  await clock.advance(limits.stunSoonMs);
  await times(2 + limits.stunAgainMs.length);
  stopping.abort();
  await running;
  socket.close();
});
