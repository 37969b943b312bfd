import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Channel, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';

const mib = 1_048_576;
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

/**
 * Both ends in a process of their own, so that nothing but the transfer moves its memory. Live memory is what remains
 * after a collection (heap and buffers); it is sampled all the time, at the pause and while draining. Of two collections
 * the second waits until the buffers that the first one found are given back: without it tens of MiB of them are counted.
 */
const child = `
import { createAgentNode } from ${JSON.stringify(new URL('../node/index.ts', import.meta.url).href)};
import { testDeps } from ${JSON.stringify(new URL('../testing/index.ts', import.meta.url).href)};
const [pauseMs, total] = process.argv.slice(-2).map(Number);
const protocol = { id: '/peerai/test-bulk/1', access: 'anyone', framing: 'messages', messageBytesMax: 65_536, channelsPerPeerMax: 1 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const make = () => createAgentNode(testDeps(), { listen: ['/ip4/127.0.0.1/tcp/0'], relays: [], bootstrap: [] });
const live = () => { gc(); gc(); const m = process.memoryUsage(); return m.heapUsed + m.external; };
const [a, b] = [await make(), await make()];
await Promise.all([a.start(), b.start()]);
let received = 0, sent = 0, base = 0, peak = 0, rssBase = 0, rssPaused = 0, inFlightMax = 0;
const sample = () => { peak = Math.max(peak, live() - base); };
b.network.answer(protocol, async (channel) => {
  for await (const message of channel) {
    received += message.length;
    inFlightMax = Math.max(inFlightMax, sent - received);
    if (received === 1_048_576) {
      base = live(); rssBase = process.memoryUsage().rss;
      for (let waited = 0; waited < pauseMs; waited += 250) { await sleep(250); sample(); }
      rssPaused = process.memoryUsage().rss - rssBase;
    }
    if (base > 0 && received % (16 * 1_048_576) === 0) sample();
  }
  await channel.send(new Uint8Array(1));
});
const channel = await a.network.open(b.network.self, protocol, { signal: AbortSignal.timeout(9_000), addresses: b.network.addresses() });
const message = new Uint8Array(65_536);
for (; sent < total; sent += message.length) await channel.send(message);
await channel.close();
for await (const done of channel) void done;
console.log(JSON.stringify({ received, peak, rssPaused, inFlightMax }));
await Promise.all([a.stop(), b.stop()]);
`;

test('a reader that pauses 5 s after 1 MiB and then drains 256 MiB costs both ends less than 64 MiB', async () => {
  const total = 256 * mib;
  const run = promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--conditions=@peerai/source', '--input-type=module', '-e', child, '5000', String(total)],
    { timeout: 90_000 },
  );
  const result = JSON.parse((await run).stdout) as Record<string, number>;
  expect(result['received']).toBe(total);
  expect(result['peak']).toBeLessThan(64 * mib);
  expect(result['rssPaused']).toBeLessThan(64 * mib);
  expect(result['inFlightMax']).toBeLessThanOrEqual(limits.creditWindowBytes + 65_536);
}, 100_000);

test('over WebRTC a paused reader holds the sender at one window, and nothing is lost or reset', async () => {
  const protocol: Protocol = {
    id: '/peerai/test-bulk/1',
    access: 'anyone',
    framing: 'messages',
    messageBytesMax: 65_536,
    channelsPerPeerMax: 1,
  };
  const relay = await nodes.relay();
  const a = await nodes.agent({ listen: [], path: 'direct-only' });
  const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] });
  await until(() => b.network.addresses().length > 0);
  let received = 0;
  let sent = 0;
  let inFlightMax = 0;
  b.network.answer(protocol, async (channel: Channel) => {
    for await (const message of channel) {
      received += message.length;
      inFlightMax = Math.max(inFlightMax, sent - received);
      if (received === mib) await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
    await channel.send(new Uint8Array(1));
  });
  const signal = AbortSignal.timeout(9_000);
  const channel = await a.network.open(b.network.self, protocol, { signal, addresses: b.network.addresses() });
  for (; sent < 8 * mib; sent += 65_536) await channel.send(new Uint8Array(65_536));
  await channel.close();
  for await (const done of channel) expect(done).toHaveLength(1);
  expect(channel.link.path).toBe('direct');
  expect(received).toBe(8 * mib);
  expect(inFlightMax).toBeLessThanOrEqual(limits.creditWindowBytes + 65_536);
});
