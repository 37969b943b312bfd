import { StreamAbortEvent } from '@libp2p/interface';
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import type { PeerId, Protocol, StepTrace } from '@peerai/core-protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { reasonOfLink } from '../errors.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';

const nodes = createTestNodes();
const closers: (() => void)[] = [];
afterEach(async () => {
  await nodes.stopAll();
  for (const close of closers.splice(0)) close();
});

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 4,
};
const soon = (): AbortSignal => AbortSignal.timeout(20_000);
const off = { tcp: false, websocket: false, webrtc: false, quic: false };
const tcpOnly = { listen: [], transports: { ...off, tcp: true } };
const tcp = '/ip4/127.0.0.1/tcp/0';
const quic = '/ip4/127.0.0.1/udp/0/quic-v1';

const stranger = async (): Promise<PeerId> => (await nodes.agent(tcpOnly)).network.self;

/** What an open that fails leaves in memory, as `step code`. */
async function remembered(from: TransportNode, to: PeerId, addresses: readonly string[]): Promise<string[]> {
  await expect(from.network.open(to, echo, { signal: soon(), addresses })).rejects.toThrow();
  return faultsOf(from.paths?.last(to)?.steps);
}
/** The failed steps of trying now. */
async function traced(from: TransportNode, to: PeerId, addresses: readonly string[]): Promise<string[]> {
  return faultsOf((await from.paths?.attempt(to, { signal: soon(), addresses }))?.steps);
}
const faultsOf = (steps: readonly StepTrace[] = []): string[] => [
  ...new Set(steps.filter(({ code }) => code !== 'OK').map(({ step, code }) => `${step} ${code}`)),
];

/** Where somebody else listens, who says this or nothing. */
async function otherService(answer?: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    if (answer !== undefined) socket.write(answer);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`;
}

/** A port that swallows every packet, as a firewall does. */
async function udpHole(): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => socket.close());
  return `/ip4/127.0.0.1/udp/${socket.address().port}/quic-v1`;
}

describe('at a direct address', () => {
  test('nobody listens', async () => {
    const [a, peer, addresses] = [await nodes.agent(tcpOnly), await stranger(), ['/ip4/127.0.0.1/tcp/1']];
    expect(await remembered(a, peer, addresses)).toEqual(['dial NOBODY_LISTENS']);
    expect(await traced(a, peer, addresses)).toEqual(['dial NOBODY_LISTENS']);
  });

  test('a WebSocket that does not open says no more than that', async () => {
    const a = await nodes.agent({ listen: [], transports: { ...off, websocket: true } });
    const [peer, addresses] = [await stranger(), ['/ip4/127.0.0.1/tcp/1/ws']];
    expect(await remembered(a, peer, addresses)).toEqual(['dial CONNECTION_LOST']);
    expect(a.paths?.last(peer)?.steps).toMatchObject([{ cause: 'the WebSocket did not open' }]);
  });

  test('UDP is blocked', async () => {
    const a = await nodes.agent({ listen: [], transports: { ...off, quic: true }, connectionTimeoutMs: 500 });
    const [peer, addresses] = [await stranger(), [await udpHole()]];
    expect(await remembered(a, peer, addresses)).toEqual(['dial UDP_NO_ANSWER']);
    expect(await traced(a, peer, addresses)).toEqual(['dial UDP_NO_ANSWER']);
  });

  test('another peer answers, over each transport', async () => {
    const b = await nodes.agent({ listen: [tcp, `${tcp}/ws`, quic] });
    const addresses = b.network.addresses().map((address) => address.split('/p2p/')[0] ?? '');
    expect(addresses).toHaveLength(3);
    const [a, peer] = [await nodes.agent({ listen: [] }), await stranger()];
    expect(await remembered(a, peer, addresses)).toEqual(['encrypt WRONG_KEY']);
    expect(await traced(a, peer, addresses)).toEqual(['encrypt WRONG_KEY']);
  });

  test('something answers that is no peer', async () => {
    // Its first byte is the length of what follows, and that is no word of ours.
    const [a, peer, addresses] = [await nodes.agent(tcpOnly), await stranger(), [await otherService('\u0004web\n')]];
    expect(await remembered(a, peer, addresses)).toEqual(['encrypt NOT_A_PEER']);
    expect(await traced(a, peer, addresses)).toEqual(['encrypt NOT_A_PEER']);
  });

  test('something takes the connection and says nothing', async () => {
    const a = await nodes.agent({ ...tcpOnly, connectionTimeoutMs: 500 });
    const [peer, addresses] = [await stranger(), [await otherService()]];
    expect(await remembered(a, peer, addresses)).toEqual(['encrypt NO_ANSWER']);
    expect(await traced(a, peer, addresses)).toEqual(['encrypt NO_ANSWER']);
  });

  test('the peer has blocked us, and says so nowhere', async () => {
    const a = await nodes.agent({ listen: [] });
    const b = await nodes.agent({ listen: [tcp, quic] }, { isBlocked: (peer) => peer === a.network.self });
    expect(await remembered(a, b.network.self, b.network.addresses())).toEqual(['upgrade CLOSED_AFTER_HANDSHAKE']);
    expect(await traced(a, b.network.self, b.network.addresses())).toEqual(['upgrade CLOSED_AFTER_HANDSHAKE']);
    const overQuic = b.network.addresses().filter((address) => address.includes('/quic'));
    const opening = a.network.open(b.network.self, echo, { signal: soon(), addresses: overQuic });
    await expect(opening).rejects.toThrow(/closed the connection at once; it may have blocked this one/u);
  });

  test('a QUIC link that ends while a stream is made says so, although its muxer says only "aborted", or that a stream ended', () => {
    // What its `throwIfAborted()` throws when the link ended between the asking for a stream and the getting.
    const { reason } = AbortSignal.abort();
    expect(reasonOfLink(reason, false)).toMatch(/closed the connection at once; it may have blocked this one/u);
    expect(reasonOfLink(reason, true)).toBe('the link ended while the channel was opened');
    const ended = new StreamAbortEvent(new Error('connection closed'));
    expect(reasonOfLink(ended, false)).toMatch(/closed the connection at once; it may have blocked this one/u);
    expect(reasonOfLink(ended, true)).toBe('the link ended while the channel was opened');
    expect(reasonOfLink(new Error('read ECONNRESET'), true)).toBe('Error: read ECONNRESET');
  });

  test('the peer speaks another version, and the connection is fine', async () => {
    const [a, b] = [await nodes.agent(tcpOnly), await nodes.agent()];
    expect(await remembered(a, b.network.self, b.network.addresses())).toEqual(['protocol PROTOCOL_UNKNOWN']);
    expect(await traced(a, b.network.self, b.network.addresses())).toEqual([]);
  });

  test('one side or the other has all its connections', async () => {
    const b = await nodes.agent({ maxConnections: 1 });
    b.network.answer(echo, async () => undefined);
    const first = await nodes.agent(tcpOnly);
    await first.network.open(b.network.self, echo, { signal: soon(), addresses: b.network.addresses() });
    const [late, other] = [await nodes.agent(tcpOnly), await nodes.agent()];
    expect(await remembered(late, b.network.self, b.network.addresses())).toEqual(['protocol FULL_THERE']);
    expect(await remembered(b, other.network.self, other.network.addresses())).toEqual(['dial FULL_HERE']);
    expect(await traced(b, other.network.self, other.network.addresses())).toEqual(['dial FULL_HERE']);
  });

  test('addresses that lead nowhere at all', async () => {
    const a = await nodes.agent(tcpOnly);
    const [peer, addresses] = [await stranger(), ['no address', `/ip4/127.0.0.1/tcp/9/p2p/${a.network.self}`, quic]];
    const faults = ['resolve ADDRESS_INVALID', 'resolve ADDRESS_OF_ANOTHER', 'resolve NO_TRANSPORT'];
    expect(await traced(a, peer, addresses)).toEqual(faults);
    expect(await remembered(a, await stranger(), [])).toEqual(['resolve NO_ADDRESS']);
    expect(await traced(a, await stranger(), [])).toEqual(['resolve NO_ADDRESS']);
  });

  test('we block it ourselves', async () => {
    const b = await nodes.agent();
    const a = await nodes.agent(tcpOnly, { isBlocked: (peer) => peer === b.network.self });
    expect(await remembered(a, b.network.self, b.network.addresses())).toEqual(['dial BLOCKED_HERE']);
  });
});

describe.each([
  ['TCP', tcp],
  ['WebSocket', `${tcp}/ws`],
  ['QUIC', quic],
])('in a private network over %s', (_name, listen) => {
  test('a peer with another key, or without one, is told apart', async () => {
    const networkKey = realRandom.bytes(32);
    const b = await nodes.agent({ listen: [listen] }, { networkKey: realRandom.bytes(32) });
    const open = await nodes.agent({ listen: [listen] });
    const a = await nodes.agent({ listen: [], connectionTimeoutMs: 1_000 }, { networkKey });
    for (const { network } of [b, open]) {
      expect(await remembered(a, network.self, network.addresses())).toContain('membership PRIVATE_NETWORK');
      expect(await traced(a, network.self, network.addresses())).toEqual(['membership PRIVATE_NETWORK']);
    }
  });

  test('a member is reached', async () => {
    const networkKey = realRandom.bytes(32);
    const b = await nodes.agent({ listen: [listen] }, { networkKey });
    const a = await nodes.agent({ listen: [] }, { networkKey });
    expect(await traced(a, b.network.self, b.network.addresses())).toEqual([]);
  });
});

describe('through a relay', () => {
  test('it is full: this peer has no place there, and others do not find it there', async () => {
    const relay = await nodes.relay({ limits: { reservationsMax: 1 } });
    const address = relayAddress(relay);
    await nodes.agent({ ...tcpOnly, relays: [address] });
    await until(() => relay.stats().reservations === 1);
    const late = await nodes.agent({ ...tcpOnly, relays: [address] });
    expect(faultsOf([await until(() => late.paths?.relay(address))])).toEqual(['reservation RELAY_FULL']);
    const circuit = [`${address}/p2p-circuit`];
    const a = await nodes.agent(tcpOnly);
    expect(await remembered(a, late.network.self, circuit)).toEqual(['circuit PEER_NOT_AT_RELAY']);
    expect(await traced(a, late.network.self, circuit)).toEqual(['circuit PEER_NOT_AT_RELAY']);
  });

  test('it carries no more for this peer', async () => {
    const relay = await nodes.relay({ limits: { circuitsPerPeerMax: 0 } });
    const b = await nodes.agent({ ...tcpOnly, relays: [relayAddress(relay)] });
    await until(() => b.network.addresses().length > 0);
    const a = await nodes.agent(tcpOnly);
    expect(await traced(a, b.network.self, b.network.addresses())).toEqual(['circuit RELAY_REFUSED']);
  });

  test('it is gone, and what is known of it goes when it is back', async () => {
    const seed = realRandom.bytes(32);
    const first = await nodes.relay({ listen: [tcp] }, { seed });
    const address = relayAddress(first);
    await first.stop();
    const a = await nodes.agent({ ...tcpOnly, relays: [address] });
    const peer = await stranger();
    expect(faultsOf([await until(() => a.paths?.relay(address))])).toEqual(['circuit RELAY_GONE']);
    expect(await remembered(a, peer, [])).toEqual(['circuit RELAY_GONE']);
    expect(await traced(a, peer, [])).toEqual(['circuit RELAY_GONE']);
    const port = address.split('/')[4] ?? '';
    const again = await nodes.relay({ listen: [`/ip4/127.0.0.1/tcp/${port}`] }, { seed });
    await until(() => again.stats().reservations === 1);
    await until(() => a.paths?.relay(address) === undefined);
  });
});

test('a trace names every step with its time, and leaves one link at most', async () => {
  const b = await nodes.agent({ listen: [tcp, quic] });
  const a = await nodes.agent({ listen: [] });
  const trace = await a.paths?.attempt(b.network.self, { signal: soon(), addresses: b.network.addresses() });
  const named = trace?.steps.map(({ step, code, address }) => `${address.split('/')[3] ?? ''} ${step} ${code}`);
  expect(named?.toSorted()).toEqual([
    'tcp dial OK',
    'tcp encrypt OK',
    'tcp upgrade OK',
    'udp dial OK',
    'udp upgrade OK',
  ]);
  expect(trace?.steps.every(({ tookMs = -1 }) => tookMs >= 0)).toBe(true);
  await until(() => a.stats().connections === 1 && b.stats().connections === 1);
});

test('a peer that was reached is not remembered as failed any more', async () => {
  const [a, b] = [await nodes.agent(tcpOnly), await nodes.agent()];
  expect(await remembered(a, b.network.self, ['/ip4/127.0.0.1/tcp/1'])).toEqual(['dial NOBODY_LISTENS']);
  b.network.answer(echo, async () => undefined);
  await a.network.open(b.network.self, echo, { signal: soon(), addresses: b.network.addresses() });
  expect(a.paths?.last(b.network.self)).toBeUndefined();
});

test('others tell from where they see this peer', async () => {
  const [a, b, c] = [await nodes.agent(), await nodes.agent(tcpOnly), await nodes.agent(tcpOnly)];
  for (const { paths } of [b, c])
    await paths?.attempt(a.network.self, { signal: soon(), addresses: a.network.addresses() });
  const seen = await until(() => b.paths?.observed()[0]);
  expect(seen).toEqual({ address: expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/) as string, seenBy: 1 });
});
