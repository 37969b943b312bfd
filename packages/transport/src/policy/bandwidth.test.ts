import type { PeerId, Protocol } from '@peerai/core-protocol';
import { ManualClock, settle } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTestNodes } from '../testing/index.ts';
import { createBandwidth } from './bandwidth.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const [anna, bert] = ['anna' as PeerId, 'bert' as PeerId];
const never = new AbortController().signal;

/** Bytes that left within so many seconds of a clock that moves in steps of 10 ms. */
async function sentWithin(seconds: number, senders: readonly { peer: PeerId; bytes: number }[], rate: number) {
  const clock = new ManualClock();
  const bandwidth = createBandwidth(clock, rate);
  const sent = new Map<PeerId, number>();
  const stop = new AbortController();
  for (const { peer, bytes } of senders) {
    void (async () => {
      for (;;) {
        await bandwidth.pace(peer, bytes, stop.signal);
        sent.set(peer, (sent.get(peer) ?? 0) + bytes);
      }
    })().catch(() => undefined);
  }
  for (let step = 0; step < seconds * 100; step += 1) {
    await settle();
    await clock.advance(10);
  }
  stop.abort();
  return sent;
}

test.each([256, 16_384, 65_536])(
  'messages of %i bytes go at the rate within a tenth, over five seconds',
  async (bytes) => {
    const rate = 1_000_000;
    const sent = (await sentWithin(5, [{ peer: anna, bytes }], rate)).get(anna) ?? 0;
    expect(sent).toBeGreaterThan(4.5 * rate);
    expect(sent).toBeLessThan(5.5 * rate);
  },
);

test('channels of one peer share its rate, and each peer has its own', async () => {
  const rate = 500_000;
  const senders = [anna, anna, anna, bert].map((peer) => ({ peer, bytes: 8_192 }));
  const sent = await sentWithin(5, senders, rate);
  for (const peer of [anna, bert]) expect(Math.abs((sent.get(peer) ?? 0) / (5 * rate) - 1)).toBeLessThan(0.1);
});

test('peers that have been still are forgotten', async () => {
  const clock = new ManualClock();
  const bandwidth = createBandwidth(clock, 1_000);
  await bandwidth.pace(anna, 10, never);
  await clock.advance(5_000);
  await bandwidth.pace(bert, 10, never);
  expect(bandwidth.peers).toBe(1);
});

test('a channel over a real link takes its time, and its link says how fast it may be', async () => {
  const dump: Protocol = {
    id: '/peerai/test-dump/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 65_536,
    channelsPerPeerMax: 4,
  };
  const b = await nodes.agent();
  const a = await nodes.agent({ bytesPerSecondMax: 100_000 });
  let received = 0;
  b.network.answer(dump, async (channel) => {
    for await (const message of channel) received += message.length;
  });
  const signal = AbortSignal.timeout(8_000);
  const channel = await a.network.open(b.network.self, dump, { signal, addresses: b.network.addresses() });
  expect(channel.link.bytesPerSecondMax).toBe(100_000);
  const startMs = performance.now();
  for (let count = 0; count < 20; count += 1) await channel.send(new Uint8Array(10_000));
  // 200 kB at 100 kB/s, less the first tenth of a second and the last message: never sooner, on any machine.
  expect(performance.now() - startMs).toBeGreaterThan(1_700);
  await channel.close();
  expect(received).toBeGreaterThan(0);
});

test('a peer that was still is sent so many milliseconds at its rate at once', async () => {
  const clock = new ManualClock();
  const bytesPerSecond = 1_000;
  const bandwidth = createBandwidth(clock, bytesPerSecond);
  await clock.advance(1_000);
  const stop = new AbortController();
  let sent = 0;
  const sending = (async () => {
    for (;;) {
      await bandwidth.pace(anna, 1, stop.signal);
      sent += 1;
    }
  })().catch(() => undefined);
  await settle();
  // What is beyond it has begun before its time is over.
  const burst = (limits.bandwidthBurstMs * bytesPerSecond) / 1_000;
  expect(sent).toBe(burst + 1);
  stop.abort();
  await sending;
});
