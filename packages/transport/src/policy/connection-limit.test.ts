import type { Protocol } from '@peerai/core-protocol';
import type { Connection } from '@libp2p/interface';
import { afterEach, expect, test, vi } from 'vitest';
import type { Components } from '../libp2p/components.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, until } from '../testing/index.ts';
import { createConnectionLimit } from './connection-limit.ts';

const nodes = createTestNodes();
afterEach(async () => {
  vi.useRealTimers();
  await nodes.stopAll();
});

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 16,
};
const transports = { tcp: true, websocket: false, webrtc: false, quic: false };
const soon = (): AbortSignal => AbortSignal.timeout(8_000);

const opened = (from: TransportNode, to: TransportNode) =>
  from.network.open(to.network.self, echo, { signal: soon(), addresses: to.network.addresses() });

test('at its limit a node has all its connections; one more is told so, and the others go on', async () => {
  const hub = await nodes.agent({ transports, maxConnections: 3 });
  hub.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  const dialers = await Promise.all(Array.from({ length: 4 }, () => nodes.agent({ transports, listen: [] })));
  const channels = [];
  for (const dialer of dialers.slice(0, 3)) channels.push(await opened(dialer, hub));
  const [last] = dialers.slice(3);
  if (last === undefined) throw new Error('four dialers');
  await expect(opened(last, hub)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  for (const [index, channel] of channels.entries()) {
    await channel.send(Uint8Array.of(index));
    expect((await channel[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(index));
  }
  expect(hub.stats().connections).toBe(3);
  await dialers[0]?.stop();
  await until(() => hub.stats().connections === 2 && last.stats().connections === 0);
  await expect(opened(last, hub)).resolves.toBeDefined();
  expect(hub.stats().connections).toBe(3);
});

test.each([
  ['tcp', '/ip4/127.0.0.1/tcp/0'],
  ['websocket', '/ip4/127.0.0.1/tcp/0/ws'],
  ['quic', '/ip4/127.0.0.1/udp/0/quic-v1'],
])('over %s the one beyond the limit is let go at both ends', async (way, address) => {
  const only = { transports: { ...transports, tcp: false, [way]: true } };
  const hub = await nodes.agent({ ...only, listen: [address], maxConnections: 1 });
  hub.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  const [first, last] = [await nodes.agent({ ...only, listen: [] }), await nodes.agent({ ...only, listen: [] })];
  await opened(first, hub);
  await expect(opened(last, hub)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await until(() => last.stats().connections === 0);
  expect(first.stats().connections).toBe(1);
});

test('a node at its limit dials nobody else, and says so', async () => {
  const [one, two] = [await nodes.agent({ transports }), await nodes.agent({ transports })];
  for (const node of [one, two]) node.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  const full = await nodes.agent({ transports, listen: [], maxConnections: 1 });
  await opened(full, one);
  await expect(opened(full, two)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await expect(opened(full, one)).resolves.toBeDefined();
});

test('over real sockets so many beyond the limit are told why, and the next one is cut without a word', async () => {
  const bounds = { refusedConnectionsMax: 2, refusedConnectionMs: 60_000 };
  const hub = await nodes.agent({ transports, maxConnections: 1 }, { bounds });
  hub.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  const dialers = [];
  for (let count = 0; count < 4; count += 1) dialers.push(await nodes.agent({ transports, listen: [] }));
  const [first, second, third, fourth] = dialers;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined)
    throw new Error('four');
  await opened(first, hub);
  for (const told of [second, third]) await expect(opened(told, hub)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await expect(opened(fourth, hub)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  expect(hub.stats().connections).toBe(1);
  await expect(opened(first, hub)).resolves.toBeDefined();
});

test('libp2p lets in as many more as may be told at once, and each of those stays as long as the limit says', () => {
  vi.useFakeTimers();
  const { limit, opens, ended } = limited(2);
  expect(limit.libp2pMax).toBe(2 + limits.refusedConnectionsMax);
  const all = ['first', 'second', 'third'].map((peer) => opens(peer));
  expect(all.map((one) => limit.isRefused(one))).toEqual([false, false, true]);
  vi.advanceTimersByTime(limits.refusedConnectionMs - 1);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ended).toEqual(['third LIMIT_REACHED']);
});

test('a peer whose two addresses answered at once takes one place, whichever of the two it keeps', () => {
  vi.useFakeTimers();
  const { limit, opens, closes } = limited(2);
  const [tcp, websocket, other] = [opens('quick'), opens('quick'), opens('other')];
  expect([tcp, websocket, other].map((one) => limit.isRefused(one))).toEqual([false, false, false]);
  const third = opens('quick');
  expect(limit.isRefused(third)).toBe(true);
  closes(third);
  closes(tcp);
  expect(limit.isRefused(opens('late'))).toBe(true);
  // What is left of the two has the place; a second one beside it may come again.
  expect(limit.isRefused(opens('quick'))).toBe(false);
  closes(other);
  expect(limit.isRefused(opens('late'))).toBe(false);
});

/** A limit over connections that are named after their peers. */
function limited(connectionsMax: number) {
  const limit = createConnectionLimit(connectionsMax);
  const events = new EventTarget();
  limit.over({ events, registrar: { getHandler: () => undefined } } as unknown as Components);
  const ended: string[] = [];
  const tell = (kind: string, detail: unknown): void => void events.dispatchEvent(new CustomEvent(kind, { detail }));
  let count = 0;
  return {
    limit,
    ended,
    opens: (peer: string): Connection => {
      count += 1;
      const abort = ({ code }: Error & { code?: string }): void => void ended.push(`${peer} ${code}`);
      const own = { id: `${count}`, remotePeer: peer, abort, newStream: () => undefined };
      const connection = Object.assign(new EventTarget(), own) as unknown as Connection;
      tell('connection:open', connection);
      return connection;
    },
    closes: (connection: Connection) => tell('connection:close', connection),
  };
}
