import { createServer, type AddressInfo } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import type { Protocol } from '@peerai/core-protocol';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, relayAddress, until } from '../testing/index.ts';
import { createSocksServer, type SocksServer } from '../testing/socks-server.ts';
import { destinationOf } from './socks.ts';

const echo: Protocol = {
  id: '/peerai/test-echo/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 65_536,
  channelsPerPeerMax: 4,
};
const onion = 'vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd';
const peer = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
const nodes = createTestNodes();
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  await nodes.stopAll();
  await Promise.all(ended.splice(0).map((end) => end()));
});
const soon = (): AbortSignal => AbortSignal.timeout(15_000);

async function proxy(places?: Readonly<Record<string, number>>): Promise<SocksServer> {
  const server = await createSocksServer(places);
  ended.push(() => server.close());
  return server;
}

async function answering(): Promise<{ readonly node: TransportNode; readonly port: number }> {
  const node = await nodes.agent();
  node.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  return { node, port: Number(node.network.addresses()[0]?.split('/')[4]) };
}

/** A listener that only counts who comes. */
async function witness(): Promise<{ readonly port: number; readonly came: () => number }> {
  let came = 0;
  const server = createServer((socket) => {
    came += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  ended.push(() => new Promise((resolve) => void server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, came: () => came };
}

async function echoes(from: TransportNode, to: TransportNode, addresses: readonly string[]): Promise<string> {
  const channel = await from.network.open(to.network.self, echo, { signal: soon(), addresses });
  const message = new Uint8Array(60_000).fill(7);
  for (let count = 0; count < 8; count += 1) await channel.send(message);
  await channel.close();
  let bytes = 0;
  for await (const one of channel) bytes += one.length;
  return `${bytes} ${channel.link.transport}`;
}

test('an address, a name and an onion service are dialled through the proxy; names are looked up there and not here', async () => {
  const { node: b, port } = await answering();
  const socks = await proxy({ 'peer.invalid': port, [`${onion}.onion`]: port });
  for (const [address, asked, kind] of [
    [`/ip4/127.0.0.1/tcp/${port}`, `127.0.0.1:${port}`, 'tcp'],
    ['/dns4/peer.invalid/tcp/4001', 'name peer.invalid:4001', 'tcp'],
    [`/onion3/${onion}:4001`, `name ${onion}.onion:4001`, 'onion'],
  ] as const) {
    const a = await nodes.agent({ socks });
    expect(await echoes(a, b, [address])).toBe(`480000 ${kind}`);
    expect(socks.asked.at(-1)).toBe(asked);
  }
  expect(socks.asked).toHaveLength(3);
});

test('a relay is reached through the proxy, and a peer through that relay', async () => {
  const relay = await nodes.relay();
  const socks = await proxy();
  const relays = [relayAddress(relay)];
  const b = await nodes.agent({ socks, relays });
  b.network.answer(echo, async (channel) => {
    for await (const message of channel) await channel.send(message);
  });
  await until(() => b.network.addresses().length > 0);
  expect(b.network.addresses().every((one) => one.includes('/p2p-circuit'))).toBe(true);
  const a = await nodes.agent({ socks, relays });
  expect(await echoes(a, b, b.network.addresses())).toBe('480000 relay');
  const port = relays[0]?.split('/')[4];
  expect(new Set(socks.asked)).toEqual(new Set([`127.0.0.1:${port}`]));
});

test('with the proxy down, or refusing, nothing is reached round it, whatever the address', async () => {
  const [seen, socks] = [await witness(), await proxy()];
  const addresses = ['/tcp', '/tcp/ws', '/udp/quic-v1'].map((kind) => {
    const [first, ...rest] = kind.slice(1).split('/');
    return `/ip4/127.0.0.1/${first}/${seen.port}${rest.map((one) => `/${one}`).join('')}`;
  });
  const names = ['/dnsaddr/localhost', `/dns4/localhost/tcp/${seen.port}/ws`, `/dns4/localhost/tcp/${seen.port}`];
  const relays = [`/ip4/127.0.0.1/tcp/${seen.port}/p2p/${peer}`, `/ip4/127.0.0.1/tcp/${seen.port}/ws/p2p/${peer}`];
  const down = { host: '127.0.0.1', port: socks.port };
  await socks.close();
  const a = await nodes.agent({ socks: down, relays, bootstrap: relays, mdns: true, listen: ['/ip4/127.0.0.1/tcp/0'] });
  const { node: b } = await answering();
  const asked = [...addresses, ...names];
  const error = await a.network
    .open(b.network.self, echo, { signal: soon(), addresses: asked })
    .catch((one: unknown) => one as { code: string; details: { attempts: { address: string }[] } });
  expect(error).toMatchObject({ code: 'PEER_UNREACHABLE' });
  expect((error as { details: { attempts: unknown[] } }).details.attempts).toHaveLength(asked.length + relays.length);
  expect(a.stats().connections).toBe(0);
  expect(seen.came()).toBe(0);
});

test('with a proxy an agent listens on loopback alone and tells no address that was not given to it', async () => {
  const listen = [
    '/ip4/127.0.0.1/tcp/0',
    '/ip4/0.0.0.0/tcp/0',
    '/ip4/127.0.0.1/tcp/0/ws',
    '/ip4/127.0.0.1/udp/0/quic-v1',
  ];
  const warned: unknown[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (_: string, facts?: object) => void warned.push(facts) };
  const socks = await proxy();
  const hidden = await nodes.agent({ listen, socks }, { logger });
  expect(hidden.network.addresses()).toEqual([]);
  expect(warned).toEqual([{ addresses: listen.slice(1), reason: 'a proxy is set' }]);
  const announce = [`/onion3/${onion}:4001`];
  const onionService = await nodes.agent({ listen, socks, announce }, { logger });
  expect(onionService.network.addresses()).toEqual([`${announce[0]}/p2p/${onionService.network.self}`]);
});

test.each([
  ['/ip4/192.0.2.1/tcp/1', { host: '192.0.2.1', port: 1 }],
  [`/ip6/2001:db8::1/tcp/2/p2p/${peer}`, { host: '2001:db8::1', port: 2 }],
  ['/dns/a.example/tcp/3', { host: 'a.example', port: 3 }],
  [`/onion3/${onion}:4/p2p/${peer}`, { host: `${onion}.onion`, port: 4 }],
  ['/dnsaddr/a.example', undefined],
  ['/ip4/192.0.2.1/tcp/1/ws', undefined],
  ['/ip4/192.0.2.1/udp/1/quic-v1', undefined],
  [`/ip4/192.0.2.1/tcp/1/p2p/${peer}/p2p-circuit`, undefined],
  ['/unix/%2Ftmp%2Fa', undefined],
])('the proxy is asked for %s as %j', (address, destination) => {
  expect(destinationOf(multiaddr(address))).toEqual(destination);
});

test('any sequence of address parts is a destination or none, and nothing is thrown', () => {
  const parts = fc.constantFrom(
    '/ip4/1.2.3.4',
    '/tcp/1',
    '/ws',
    '/p2p-circuit',
    `/p2p/${peer}`,
    `/onion3/${onion}:1`,
    '/dns/a',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 5 }), (all) => {
      destinationOf(multiaddr(all.join('')));
    }),
  );
});
