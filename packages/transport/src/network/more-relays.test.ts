import { createIdentity, nobleCrypto, type PeerId, type Protocol } from '@peerai/core-protocol';
import { seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';
import { createMoreRelays } from './more-relays.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const peerOf = (seed: number): PeerId => createIdentity(nobleCrypto, seededRandom(seed).bytes(32)).peer;
const addressOf = (seed: number): string => `/ip4/192.0.2.${seed}/tcp/4100/ws/p2p/${peerOf(seed)}`;

/** Loops that last until they are told to end. */
function scene(configured: readonly string[] = []) {
  const loops = new Map<string, AbortSignal>();
  const left: PeerId[] = [];
  const warned: unknown[] = [];
  const stopping = new AbortController();
  const more = createMoreRelays({
    logger: { ...silentLogger, warn: (_, details) => void warned.push(details?.['address']) },
    configured,
    keep: (address, signal) =>
      new Promise((resolve) => {
        loops.set(address, signal);
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    letGo: async (relay) => void left.push(relay),
  });
  const running = (): readonly string[] => [...loops].flatMap(([address, { aborted }]) => (aborted ? [] : [address]));
  const use = (given: readonly string[]) => more.use(given, stopping.signal);
  return { use, more, loops, left, warned, running, stopping };
}
const hello: Protocol = {
  id: '/test/hello/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 64,
  channelsPerPeerMax: 4,
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('an agent without relays gets a place on one it is told to use, and leaves it when it is named no more', async () => {
  const relay = await nodes.relay();
  const agent = await nodes.agent({ listen: [] });
  const circuits = () => agent.network.addresses().filter((one) => one.includes('/p2p-circuit'));
  const address = relayAddress(relay);
  expect(agent.useRelays?.([address])).toEqual([{ address }]);
  await until(() => circuits().length > 0 && relay.stats().reservations === 1);
  expect(agent.useRelays?.([])).toEqual([]);
  await until(() => circuits().length === 0 && agent.stats().connections === 0 && relay.stats().peers === 0);
  // And it gets it back.
  agent.useRelays?.([address]);
  await until(() => circuits().length > 0);
});

test('a relay’s loop runs once while it is named, and ends when it is not, or when the node stops', async () => {
  const { use, loops, left, running, stopping } = scene();
  use([addressOf(1), addressOf(2)]);
  const first = loops.get(addressOf(1));
  use([addressOf(2), addressOf(1)]);
  expect(loops.get(addressOf(1))).toBe(first);
  use([addressOf(2)]);
  expect(running()).toEqual([addressOf(2)]);
  await settled();
  expect(left).toEqual([peerOf(1)]);
  stopping.abort();
  await settled();
  expect(running()).toEqual([]);
  // The node itself ends its connections.
  expect(left).toEqual([peerOf(1)]);
});

test('a relay named again at once is not left', async () => {
  const { use, left } = scene();
  use([addressOf(1)]);
  use([]);
  use([addressOf(1)]);
  await settled();
  expect(left).toEqual([]);
});

test.each([
  ['a web address', 'https://relay.example'],
  ['no key', '/ip4/192.0.2.1/tcp/4100'],
  ['a key that is none', '/ip4/192.0.2.1/tcp/4100/p2p/abc'],
  ['a key alone', `/p2p/${peerOf(1)}`],
  ['a way through another relay', `${addressOf(2)}/p2p-circuit/p2p/${peerOf(1)}`],
])('%s is left out with a line in the log', (_, address) => {
  const { use, running, warned } = scene();
  expect(use([address])).toEqual([{ address, leftOut: 'NO_RELAY_ADDRESS' }]);
  expect(running()).toEqual([]);
  expect(warned).toEqual([address]);
});

test('the configured ones count, are not kept twice, and come first; each of the others says what became of it', () => {
  const { use, more, running } = scene([addressOf(1), addressOf(2)]);
  const given = Array.from({ length: limits.relaysMax - 1 }, (_, index) => addressOf(index + 2));
  const fitting = given.slice(1, limits.relaysMax - 1);
  // relaysMax in all, with the two.
  const uses = [{ address: addressOf(2), leftOut: 'SAME_RELAY' }, ...fitting.map((address) => ({ address }))];
  expect(use(given)).toEqual(uses);
  expect(use([...given, addressOf(50)])).toEqual([...uses, { address: addressOf(50), leftOut: 'TOO_MANY_RELAYS' }]);
  expect(running()).toEqual(fitting);
  expect([more.addresses(), more.has(peerOf(3)), more.has(peerOf(50)), more.has(peerOf(2))]).toEqual([
    fitting,
    true,
    false,
    false,
  ]);
});

test('a peer whose addresses nobody knows is found at a relay that a group has named, until it is named no more', async () => {
  const relay = await nodes.relay();
  const address = relayAddress(relay);
  // Over WebRTC two that met at the relay may have a link of their own before the relay is let go.
  const throughRelay = { listen: [], transports: { tcp: true, websocket: false, webrtc: false, quic: false } };
  const [seeker, ...found] = [
    await nodes.agent(throughRelay),
    await nodes.agent({ ...throughRelay, relays: [address] }),
    await nodes.agent({ ...throughRelay, relays: [address] }),
  ];
  await until(() => relay.stats().reservations === 2);
  for (const one of found) one.network.answer(hello, async () => undefined);
  const open = (index: number) =>
    seeker.network.open(found[index]?.network.self ?? seeker.network.self, hello, {
      signal: AbortSignal.timeout(8_000),
    });
  await expect(open(0)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  seeker.useRelays?.([address]);
  await (await open(0)).close();
  seeker.useRelays?.([]);
  await until(() => seeker.stats().connections === 0);
  await expect(open(1)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
});
