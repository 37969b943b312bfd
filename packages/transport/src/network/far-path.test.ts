import type { Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTestNodes, until } from '../testing/index.ts';
import { createTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';

const nodes = createTestNodes();
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await nodes.stopAll();
  for (const proxy of proxies.splice(0)) proxy.close();
});

/** The other side accepts and reads nothing. */
const deaf: Protocol = {
  id: '/peerai/test-deaf/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 4,
};
const transports = { tcp: true, websocket: false, webrtc: false, quic: false };
const soon = (): AbortSignal => AbortSignal.timeout(15_000);
const farMs = 120;

async function world() {
  const [a, b] = [await nodes.agent({ transports }), await nodes.agent({ transports })];
  for (const node of [a, b]) {
    node.network.answer(
      deaf,
      (channel) => new Promise((resolve) => channel.signal.addEventListener('abort', () => resolve())),
    );
  }
  const through = async (target: string, delayMs: number): Promise<readonly string[]> => {
    const proxy = await createTcpProxy(target, 0, delayMs);
    proxies.push(proxy);
    return [proxy.address];
  };
  const addressOf = (node: typeof a): string =>
    node.network.addresses().find((one) => one.startsWith('/ip4/127.0.0.1/tcp/')) ?? '';
  return { a, b, through, addressOf };
}

test('over a long line a channel may have more on its way, as much as the measured round trip asks for', async () => {
  const { a, b, through, addressOf } = await world();
  const addresses = await through(addressOf(b), farMs);
  const first = await a.network.open(b.network.self, deaf, { signal: soon(), addresses });
  await until(() => first.link.roundTripMs >= 2 * farMs);
  await first.close('DONE');
  const channel = await a.network.open(b.network.self, deaf, { signal: soon() });
  // Half as much again as a near link's window holds; nobody reads it.
  const messages = (1.5 * limits.creditWindowBytes) / 65_536;
  for (let count = 0; count < messages; count += 1) await channel.send(new Uint8Array(65_536 - limits.frameHeadBytes));
  expect(channel.signal.aborted).toBe(false);
  await channel.close('DONE');
});

test('of two links to a peer the one with the shorter round trip is taken', async () => {
  const { a, b, through, addressOf } = await world();
  // Both dial at once, each by its own line: two links between the same two.
  const [long, short] = [await through(addressOf(b), farMs), await through(addressOf(a), 0)];
  await Promise.all([
    a.network.open(b.network.self, deaf, { signal: soon(), addresses: long }),
    b.network.open(a.network.self, deaf, { signal: soon(), addresses: short }),
  ]);
  const trips = new Map<string, number>();
  const stop = new AbortController();
  const watching = (async () => {
    for await (const { address, roundTripMs } of a.network.links(stop.signal)) trips.set(address, roundTripMs);
  })();
  await until(() => trips.size === 2 && [...trips.values()].every((ms) => ms > 0));
  stop.abort();
  await watching;
  const channel = await a.network.open(b.network.self, deaf, { signal: soon() });
  const [nearest] = [...trips].toSorted(([, one], [, other]) => one - other);
  expect(channel.link.address).toBe(nearest?.[0]);
  await channel.close('DONE');
});
