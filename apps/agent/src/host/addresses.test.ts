import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { Config } from '@peerai/platform';
import {
  announcedAddresses,
  bestAddress,
  iceServersOf,
  listenAddresses,
  proxyOf,
  relayAddresses,
  relaysBehindProxy,
  splitHostPort,
} from './addresses.ts';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

async function serve(body: unknown): Promise<string> {
  const server = createServer((_request, response) => void response.end(JSON.stringify(body))).listen(0, '127.0.0.1');
  stops.push(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ['0.0.0.0:4001', '0.0.0.0', 4001],
  ['[::]:0', '::', 0],
  ['host.example:65534', 'host.example', 65_534],
])('%s is the host %s and the port %i', (text, host, port) => {
  expect(splitHostPort(text)).toEqual({ host, port });
});

test('TCP and QUIC listen on the port, WebSocket on the next; port 0 takes free ones', () => {
  const both = { tcp: true, websocket: true, quic: false };
  expect(listenAddresses('0.0.0.0', 4001, { ...both, quic: true })).toEqual([
    '/ip4/0.0.0.0/tcp/4001',
    '/ip4/0.0.0.0/tcp/4002/ws',
    '/ip4/0.0.0.0/udp/4001/quic-v1',
  ]);
  expect(listenAddresses('0.0.0.0', 4001, both)).toEqual(['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/4002/ws']);
  expect(listenAddresses('::', 0, both)).toEqual(['/ip6/::/tcp/0', '/ip6/::/tcp/0/ws']);
  expect(listenAddresses('a.example', 1, { tcp: false, websocket: false, quic: false })).toEqual([]);
});

test('an external address is a multiaddr as it is, or a host and port as what listens', () => {
  expect(announcedAddresses('192.0.2.1:1', { tcp: false, websocket: false, quic: true })).toEqual([
    '/ip4/192.0.2.1/udp/1/quic-v1',
  ]);
  expect(announcedAddresses('/dns4/a/tcp/1', { tcp: true, websocket: true, quic: false })).toEqual(['/dns4/a/tcp/1']);
  expect(announcedAddresses('a.example:1', { tcp: true, websocket: true, quic: false })).toEqual([
    '/dns/a.example/tcp/1',
    '/dns/a.example/tcp/2/ws',
  ]);
  expect(announcedAddresses('a.example:1', { tcp: true, websocket: false, quic: true })).toEqual([
    '/dns/a.example/tcp/1',
  ]);
});

test('of a relay that listens everywhere, the address at the asked host is dialled', () => {
  const said = ['/ip4/127.0.0.1/tcp/1/ws/p2p/R', '/ip4/192.168.1.9/tcp/1/ws/p2p/R', '/ip4/10.0.0.4/tcp/1/ws/p2p/R'];
  expect(bestAddress(said, '10.0.0.4')).toBe(said[2]);
  expect(bestAddress(said, '127.0.0.1')).toBe(said[0]);
  expect(bestAddress(said, 'localhost')).toBe(said[0]);
  expect(bestAddress(said, 'relay.lan')).toBe(said[1]);
  expect(bestAddress(said.slice(0, 1), 'relay.lan')).toBe(said[0]);
  expect(bestAddress([], 'relay.lan')).toBeUndefined();
});

test('a relay is asked for its address; one given as a multiaddr is taken as it is', async () => {
  const address = '/ip4/127.0.0.1/tcp/1/ws/p2p/R';
  const url = await serve({ service: 'peerai-relay', addresses: [address] });
  const warned: string[] = [];
  const given = ['/ip4/1.2.3.4/tcp/1/p2p/Q', `${url}/`, 'http://127.0.0.1:9'];
  expect(await relayAddresses(given, (text) => warned.push(text))).toEqual([given[0], address]);
  expect(warned).toEqual([expect.stringContaining('http://127.0.0.1:9')]);
});

test.each([
  [{}],
  [{ service: 'peerai-relay' }],
  [{ service: 'peerai-relay', addresses: [7] }],
  [{ addresses: ['/ip4/1.2.3.4/tcp/1'] }],
  [null],
])('a server that answers %j is no relay', async (body) => {
  const url = await serve(body);
  await expect(relayAddresses([url], () => undefined)).rejects.toThrow(
    expect.objectContaining({ code: 'RELAY_INVALID' }) as Error,
  );
});

test.each([
  [undefined, false, undefined],
  ['10.0.0.9:1080', false, { host: '10.0.0.9', port: 1080 }],
  [undefined, true, { host: '127.0.0.1', port: 9050 }],
  ['127.0.0.1:9150', true, { host: '127.0.0.1', port: 9150 }],
])('network.transports.socks5 %j and security.enable_tor %j are the proxy %j', (socks5, enable_tor, proxy) => {
  const config = { network: { transports: { socks5 } }, security: { enable_tor } } as unknown as Config;
  expect(proxyOf(config)).toEqual(proxy);
});

test('STUN and TURN servers are those the owner has named, and none otherwise', () => {
  const of = (stun: string[], turn: object[]): unknown =>
    iceServersOf({ network: { nat: { stun_servers: stun, turn_servers: turn } } } as unknown as Config);
  expect(of([], [])).toBeUndefined();
  const user = { username: 'me', credential: 'a-secret-word' };
  expect(of(['stun:s.example'], [{ url: 'turn:192.0.2.1:3479', ...user }])).toEqual({
    stun: [{ host: 's.example', port: 3478 }],
    turn: [{ host: '192.0.2.1', port: 3479, ...user }],
  });
});

test('behind a proxy no relay is asked for its addresses over the web', () => {
  const given = ['/ip4/192.0.2.1/tcp/4101/p2p/R'];
  expect(relaysBehindProxy(given)).toEqual(given);
  expect(() => relaysBehindProxy([...given, 'https://relay.example'])).toThrow(
    expect.objectContaining({ code: 'RELAY_INVALID' }) as Error,
  );
});
