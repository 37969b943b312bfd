import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Protocol } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { createBrowserNode } from '../libp2p/browser.ts';
import { createTestNodes, testDeps, until } from '../testing/index.ts';

const hello: Protocol = {
  id: '/peerai/test-hello/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 4,
};
const nodes = createTestNodes();
const servers: Server[] = [];
afterEach(async () => {
  await nodes.stopAll();
  for (const server of servers.splice(0)) server.close();
});

async function httpServer(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => void response.end('healthy'));
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

const health = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/health`)).text();

test('a page reaches the relay on the port that also answers /health', async () => {
  const { server, port } = await httpServer();
  const relay = await nodes.relay({ listen: [], httpServer: server });
  relay.network.answer(hello, async (channel) => channel.send(Uint8Array.of(42)));
  const address = `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.network.self}`;
  expect(relay.network.addresses()).toEqual([address]);
  expect(await health(port)).toBe('healthy');

  const page = await createBrowserNode(testDeps(), { relays: [] });
  try {
    await page.start();
    const channel = await page.network.open(relay.network.self, hello, {
      signal: AbortSignal.timeout(8_000),
      addresses: [address],
    });
    for await (const message of channel) expect(message).toEqual(Uint8Array.of(42));
    expect(await health(port)).toBe('healthy');
  } finally {
    await page.stop();
  }
});

test('an upgrade on a path the application keeps for itself is left alone', async () => {
  const { server, port } = await httpServer();
  await nodes.relay({ listen: [], httpServer: server, isOwnPath: (path) => path === '/signal' });
  let ours = 0;
  server.on('upgrade', (incoming, socket) => {
    if (incoming.url !== '/signal') return;
    ours += 1;
    socket.end('HTTP/1.1 418 teapot\r\n\r\n');
  });
  const answer = await upgrade(port, '/signal');
  expect(answer).toBe(418);
  expect(ours).toBe(1);
});

test("every other path is libp2p's, `/p2p` among them", async () => {
  const { server, port } = await httpServer();
  await nodes.relay({ listen: [], httpServer: server, isOwnPath: (path) => path === '/signal' });
  expect(await upgrade(port, '/p2p')).toBe(101);
  expect(await upgrade(port, '/')).toBe(101);
});

test('a page listens through the shared port and is reached by another page', async () => {
  const { server, port } = await httpServer();
  const relay = await nodes.relay({ listen: [], httpServer: server });
  const relays = [`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.network.self}`];
  const a = await createBrowserNode(testDeps(), { relays });
  const b = await createBrowserNode(testDeps(), { relays });
  try {
    await Promise.all([a.start(), b.start()]);
    b.network.answer(hello, async (channel) => channel.send(Uint8Array.of(7)));
    await until(() => relay.stats().reservations === 2);
    const channel = await a.network.open(b.network.self, hello, { signal: AbortSignal.timeout(8_000) });
    for await (const message of channel) expect(message).toEqual(Uint8Array.of(7));
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
});

function upgrade(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    };
    const sent = request({ port, host: '127.0.0.1', path, headers }, (response) => resolve(response.statusCode));
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}
