import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PeerId, Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { refuseKeyDump } from '../libp2p/assemble.ts';
import { createAgentNode } from '../node/index.ts';
import { createTcpProxy, createTestNodes, realRandom, relayAddress, testDeps, until } from '../testing/index.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 16,
};
const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const soon = (ms = 10_000): AbortSignal => AbortSignal.timeout(ms);

test('thirty peers behind one address may all dial at once', async () => {
  const hub = await nodes.agent();
  hub.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  const transports = { tcp: true, websocket: false, webrtc: false };
  const dialers = await Promise.all(Array.from({ length: 30 }, () => nodes.agent({ listen: [], transports })));
  const opened = await Promise.allSettled(
    dialers.map((dialer) =>
      dialer.network.open(hub.network.self, echo, { signal: soon(), addresses: hub.network.addresses() }),
    ),
  );
  expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
});

test('a relay takes more than fifteen reservations, up to its limit and not one more', async () => {
  const relay = await nodes.relay({ limits: { reservationsMax: 20 } });
  const transports = { tcp: true, websocket: false, webrtc: false };
  const options = { listen: [], relays: [relayAddress(relay)], transports };
  await Promise.all(Array.from({ length: 20 }, () => nodes.agent(options)));
  await until(() => relay.stats().reservations === 20);
  await nodes.agent(options);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(relay.stats().reservations).toBe(20);
});

test('a relay ends a circuit that has carried its bytes', async () => {
  const circuitBytesMax = 1_048_576;
  const relay = await nodes.relay({ limits: { circuitBytesMax } });
  const transports = { tcp: true, websocket: false, webrtc: false };
  const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)], transports });
  const a = await nodes.agent({ listen: [], transports });
  await until(() => b.network.addresses().length > 0);
  let received = 0;
  b.network.answer(echo, async (channel) => {
    for await (const message of channel) received += message.length;
  });
  const channel = await a.network.open(b.network.self, echo, { signal: soon(), addresses: b.network.addresses() });
  const sending = (async () => {
    for (let count = 0; count < 64; count += 1) await channel.send(new Uint8Array(65_536));
  })();
  await expect(sending).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
  expect(received).toBeGreaterThan(131_072);
  expect(received).toBeLessThanOrEqual(circuitBytesMax);
});

test('a direct link that falls silent does not hold an open: another way is taken', async () => {
  const relay = await nodes.relay();
  const transports = { tcp: true, websocket: false, webrtc: false };
  const b = await nodes.agent({ relays: [relayAddress(relay)], transports });
  const a = await nodes.agent({ listen: [], transports });
  b.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  await until(() => b.network.addresses().some((address) => address.includes('p2p-circuit')));
  const own = b.network.addresses().find((address) => !address.includes('p2p-circuit')) ?? '';
  const proxy = await createTcpProxy(own);
  const direct = await a.network.open(b.network.self, echo, { signal: soon(), addresses: [proxy.address] });
  expect(direct.link.path).toBe('direct');
  proxy.silence();
  const silentMs = performance.now();
  const circuits = b.network.addresses().filter((address) => address.includes('p2p-circuit'));
  const again = await a.network.open(b.network.self, echo, { signal: soon(), addresses: circuits });
  // Sooner than the link's own ping could have ended it.
  expect(performance.now() - silentMs).toBeLessThan(limits.linkPingTicks * limits.heartbeatTickMs);
  await again.send(Uint8Array.of(9));
  expect((await again[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(9));
  proxy.close();
});

test('a peer nobody answers for: every address is named with its reason, within the time-out', async () => {
  const a = await nodes.agent({ connectionTimeoutMs: 2_000 });
  const stranger = (await createAgentNode(testDeps(), { listen: [], relays: [], bootstrap: [] })).network.self;
  const addresses = [
    '/ip4/127.0.0.1/tcp/1',
    'not an address',
    `/ip4/127.0.0.1/tcp/2/p2p/${a.network.self}`,
    '/ip4/127.0.0.1/udp/9/quic-v1',
  ];
  const failed = a.network.open(stranger, echo, { signal: soon(), addresses });
  await expect(failed).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  const { details } = (await failed.catch((error: unknown) => error)) as {
    details: { attempts: { address: string; step: string; reason: string }[] };
  };
  expect(details.attempts.map(({ address }) => address).join(' ')).toContain('tcp/1/p2p');
  expect(details.attempts.find(({ address }) => address === 'not an address')).toMatchObject({ step: 'address' });
  expect(details.attempts.find(({ address }) => address.includes('tcp/2'))).toMatchObject({
    reason: 'names another peer',
  });
  expect(details.attempts).toHaveLength(4);
});

test('a blocked peer can neither open nor be opened', async () => {
  const blocked = new Set<PeerId>();
  const a = await nodes.agent();
  const b = await nodes.agent({}, { isBlocked: (peer) => blocked.has(peer) });
  b.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  blocked.add(a.network.self);
  const options = { signal: soon(), addresses: b.network.addresses() };
  await expect(a.network.open(b.network.self, echo, options)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  await expect(b.network.open(a.network.self, echo, { signal: soon() })).rejects.toMatchObject({ code: 'REFUSED' });
  blocked.clear();
  await a.network.open(b.network.self, echo, options);
});

test('direct-only carries no channel over a relay, in either direction', async () => {
  const relay = await nodes.relay();
  const transports = { tcp: true, websocket: false, webrtc: false };
  const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)], transports, path: 'direct-only' });
  const a = await nodes.agent({ listen: [], transports });
  b.network.answer(echo, async (channel) => channel.send(Uint8Array.of(1)));
  await until(() => b.network.addresses().length > 0);
  const options = { signal: soon(), addresses: b.network.addresses() };
  await expect(a.network.open(b.network.self, echo, options)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a relay that comes back is used again, without a restart of anybody', async () => {
  const seed = realRandom.bytes(32);
  const first = await nodes.relay({}, { seed });
  const address = relayAddress(first);
  const listen = [address.split('/p2p/')[0] ?? ''];
  const agent = await nodes.agent({ listen: [], relays: [address] });
  await until(() => first.stats().reservations === 1);
  await first.stop();
  await until(() => agent.network.addresses().length === 0);
  const second = await nodes.relay({ listen }, { seed });
  await until(() => second.stats().reservations === 1, 12_000);
  await until(() => agent.network.addresses().length > 0);
});

test('the key is the one given: two starts, one peer id', async () => {
  const seed = realRandom.bytes(32);
  const one = await nodes.agent({}, { seed });
  const two = await nodes.agent({}, { seed });
  expect(two.network.self).toBe(one.network.self);
});

test('a seed of another length is refused', async () => {
  await expect(
    createAgentNode(testDeps({ seed: new Uint8Array(31) }), { listen: [], relays: [], bootstrap: [] }),
  ).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
});

test('nothing starts while session keys would be dumped', () => {
  expect(() => refuseKeyDump({ DUMP_SESSION_KEYS: '1' })).toThrow(
    expect.objectContaining({ code: 'UNSAFE_ENVIRONMENT' }) as Error,
  );
  expect(() => refuseKeyDump({})).not.toThrow();
});

test('start and stop may be called twice; a stopped node stays stopped', async () => {
  const node = await createAgentNode(testDeps(), { listen: [], relays: [], bootstrap: [] });
  await Promise.all([node.start(), node.start()]);
  await Promise.all([node.stop(), node.stop()]);
  await expect(node.start()).rejects.toMatchObject({ code: 'ABORTED' });
});

test('a port that is taken is told by start', async () => {
  const one = await nodes.agent();
  const taken = (one.network.addresses()[0] ?? '').split('/p2p/')[0] ?? '';
  await expect(nodes.agent({ listen: [taken] })).rejects.toThrow(/EADDRINUSE|listen/u);
});

test('after stop() a process with WebRTC links ends by itself within 2 s', async () => {
  const script = `
import { createTestNodes, relayAddress, until } from ${JSON.stringify(new URL('../testing/index.ts', import.meta.url).href)};
const nodes = createTestNodes();
const relay = await nodes.relay();
const a = await nodes.agent({ listen: [], path: 'direct-only' });
const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] });
await until(() => b.network.addresses().length > 0);
const echo = { id: '/e/1', access: 'anyone', framing: 'messages', messageBytesMax: 9, channelsPerPeerMax: 9 };
b.network.answer(echo, async (channel) => { for await (const message of channel) await channel.send(message); });
const channel = await a.network.open(b.network.self, echo, { signal: AbortSignal.timeout(9000), addresses: b.network.addresses() });
const start = performance.now();
await nodes.stopAll();
process.on('exit', () => console.log(channel.link.path, Math.round(performance.now() - start)));
`;
  const args = ['--conditions=@peerai/source', '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 18_000 });
  const [path, ms] = stdout.trim().split(' ');
  expect(path).toBe('direct');
  expect(Number(ms)).toBeLessThan(limits.stopMs);
});
