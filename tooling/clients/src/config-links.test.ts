import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { createIdentity, nobleCrypto, PeerAiError, type PeerId, type Protocol } from '@peerai/core-protocol';
import { encodeTicket, inviteLink } from '@peerai/core-protocol/access';
import { pair, startTestnet, type Testnet } from '@peerai/testnet';
import { createAgentNode } from '@peerai/transport/node';
import type { TransportNode } from '@peerai/transport';
import { realRandom, testDeps } from '@peerai/transport/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { canMulticast } from './multicast.ts';
import { type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

const agents = ownAgents();
const nodes: TransportNode[] = [];
const ended: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});
afterAll(async () => {
  await agents.stop();
  await Promise.all(ended.map((end) => end()));
}, 20_000);

const quiet = { llm: { engines: ['nano'] }, api: { port: 0 }, logging: { level: 'warn', format: 'json' } };
const loopback = { listen_address: '127.0.0.1:0', discovery: { mdns: false } };
/** Answered for anyone; nothing is said over it here. */
const pairing: Protocol = {
  id: '/peerai/pair/1',
  access: 'anyone',
  framing: 'messages',
  messageBytesMax: 1_024,
  channelsPerPeerMax: 1,
};
/** This machine's own address on its network, when it is on one. */
const lanAddress = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

async function startNode(): Promise<TransportNode> {
  const node = await createAgentNode(testDeps(), { listen: ['/ip4/127.0.0.1/tcp/0'], relays: [], bootstrap: [] });
  nodes.push(node);
  await node.start();
  return node;
}

/** Whether a stranger is let in and stays, or is told that there is no room. */
async function isLetIn({ info }: OwnAgent): Promise<boolean> {
  const stranger = await startNode();
  const options = { signal: AbortSignal.timeout(5_000), addresses: info.addresses };
  const code = await codeOf(stranger.network.open(info.peerId as PeerId, pairing, options));
  expect(code).toMatch(/^(OK|LIMIT_REACHED)$/);
  await vi.waitFor(() => expect(stranger.stats().connections).toBe(code === 'OK' ? 1 : 0), { timeout: 5_000 });
  return code === 'OK';
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'OK',
    (error: unknown) => (PeerAiError.is(error) ? error.code : String(error)),
  );

describe('one agent with few connections', () => {
  let crowded: OwnAgent;
  const start = async (network: Settings): Promise<OwnAgent> =>
    (crowded = await agents.start('crowded', {
      ...quiet,
      network: { ...loopback, max_connections: 2, connection_timeout: '500ms', ...network },
      llm: { engines: ['auto', { type: 'llama-cpp', path: '/models/none.gguf' }] },
      api: { port: 0, bind: lanAddress ?? '127.0.0.1' },
      security: { allow_hosts: lanAddress === undefined ? [] : [lanAddress] },
    }));

  test('bootstrap_nodes are connected to, and max_connections counts them: one more is let in, the next is not', async () => {
    const known = await startNode();
    await start({ bootstrap_nodes: known.network.addresses() });
    await vi.waitFor(() => expect(known.stats().connections).toBe(1), { timeout: 5_000 });
    expect([await isLetIn(crowded), await isLetIn(crowded)]).toEqual([true, false]);
  });

  test('connection_timeout ends an attempt at a machine that never answers', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve));
    ended.push(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const { port } = mute.address() as AddressInfo;
    const link = inviteLink(
      encodeTicket(createIdentity(nobleCrypto, realRandom.bytes(32)), {
        kind: 'pair',
        id: realRandom.bytes(8),
        name: 'mute',
        addresses: [`/ip4/127.0.0.1/tcp/${port}`],
        models: [],
        tokens: 0,
        expiresMs: Date.now() + 60_000,
        guests: 1,
        concurrency: 1,
        allow: ['chat'],
        secret: realRandom.bytes(16),
      }),
    );
    const startedMs = performance.now();
    expect(await codeOf(crowded.client.join(link))).toBe('PEER_UNREACHABLE');
    // The transport's own bound for one address is 6 s.
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect(sockets.size).toBeGreaterThan(0);
  });

  test('name is the host name where none is given', () => {
    expect(crowded.info.name).toBe(hostname());
  });

  test('llm.engines: auto looks at the usual addresses, llama-cpp takes its file', async () => {
    const { engines } = await crowded.client.node();
    for (const url of [
      'http://127.0.0.1:11434',
      'http://127.0.0.1:8080',
      'http://127.0.0.1:8000',
      'http://127.0.0.1:1234',
    ]) {
      expect(engines.some((engine) => engine.url === url)).toBe(true);
    }
    const llama = engines.find(({ kind }) => kind === 'llama-cpp');
    expect(llama?.state === 'found' ? llama.models : llama?.detail).toEqual(
      llama?.state === 'found' ? ['none'] : expect.stringContaining('node-llama-cpp'),
    );
  });

  test.skipIf(lanAddress === undefined)('api.bind beyond loopback makes the gateway need a token', async () => {
    expect(crowded.info.api).toContain(`//${lanAddress}:`);
    const models = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${crowded.info.api}/v1/models`, { headers });
    expect((await models({})).status).toBe(401);
    expect((await models({ authorization: `Bearer ${crowded.info.token}` })).status).toBe(200);
  });

  test('logging.level warn leaves out what is less', () => {
    expect(crowded.lines.filter((line) => line.startsWith('{') && !/"level":"(?:warn|error)"/.test(line))).toEqual([]);
  });
});

describe.skipIf(!(await canMulticast()))('two paired agents whose addresses changed', () => {
  const settings = (name: string, mdns: boolean): Settings => ({
    ...quiet,
    network: { ...loopback, name, discovery: { mdns } },
  });
  const finds = async (one: OwnAgent, other: OwnAgent, waitMs: number): Promise<boolean> => {
    const endMs = performance.now() + waitMs;
    do {
      if ((await codeOf(one.client.ping(other.info.peerId))) === 'OK') return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    } while (performance.now() < endMs);
    return false;
  };

  test('find each other again with discovery.mdns at both, and not with one alone', async () => {
    const [north, south] = await Promise.all([
      agents.start('north', settings('north', true)),
      agents.start('south', settings('south', false)),
    ]);
    await pair(north, south);
    await Promise.all([north.child.stop(), south.child.stop()]);
    const [moved, silent] = await Promise.all([
      north.again(settings('north', true)),
      south.again(settings('south', false)),
    ]);
    expect([await finds(moved, silent, 1_000), await finds(silent, moved, 0)]).toEqual([false, false]);
    const heard = await silent.again(settings('south', true));
    expect(await finds(heard, moved, 12_000)).toBe(true);
  }, 60_000);
});

describe('path: direct-only', () => {
  let net: Testnet;
  beforeAll(async () => {
    net = await startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {} });
    ended.push(() => net.stop());
  }, 30_000);

  test('refuses what comes through a relay, and sends nothing there', async () => {
    const network = {
      ...loopback,
      external_address: '127.0.0.1:9',
      relays: [net.relays[0]?.info.http],
      transports: { webrtc: false },
    };
    const settings = (name: string, path: string): Settings => ({
      ...quiet,
      network: { ...network, name, path },
      llm: { engines: ['scripted'] },
    });
    const [near, far] = await Promise.all([
      agents.start('near', settings('near', 'any')),
      agents.start('far', settings('far', 'any')),
    ]);
    await pair(near, far);
    const ask = (): Promise<Response> =>
      fetch(`${near.info.api}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'echo@far', messages: [{ role: 'user', content: 'hello' }] }),
      });
    const relayed = await ask();
    expect([relayed.status, relayed.headers.get('x-peerai-path')]).toEqual([200, 'relayed']);

    const strict = await far.again(settings('far', 'direct-only'));
    await vi.waitFor(async () => expect((await strict.client.node()).relays).toMatchObject([{ state: 'connected' }]), {
      timeout: 10_000,
    });
    expect((await ask()).status).toBeGreaterThanOrEqual(400);
    expect(await codeOf(strict.client.ping(near.info.peerId))).toBe('PEER_UNREACHABLE');
  }, 60_000);
});
