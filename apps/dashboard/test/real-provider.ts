import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIdentity, nobleCrypto as crypto, type Runtime } from '@peerai/core-protocol';
import { MemoryShelf, MemoryStore, silentLogger as logger } from '@peerai/core-protocol/testing';
import { scriptedEngine } from '@peerai/llm-bridge';
import { createPeer, type Peer } from '@peerai/peer';
import { nodeRandom as random, systemClock as clock } from '@peerai/platform/node';
import { serveLinkPage, servePageFile } from '@peerai/platform/pages';
import { createAgentNode, createRelayNode } from '@peerai/transport/node';

const deps = { clock, random, logger, crypto };

/** A relay that serves the pages. */
export interface RealRelay {
  readonly pageUrl: string;
  readonly relays: readonly string[];
  stop(): Promise<void>;
}

async function startRealRelay(dist: string): Promise<RealRelay> {
  const server = createServer((request, response) => {
    const file = { folder: dist, path: (request.url ?? '/').split('?')[0] ?? '/' };
    void (async () => {
      if (await serveLinkPage(request, response, file)) return;
      if (!(await servePageFile(request, response, file))) response.writeHead(404).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay = await createRelayNode(
    { ...deps, seed: random.bytes(32), isGranted: () => false },
    { listen: [], httpServer: server },
  );
  await relay.start();
  return {
    pageUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/s`,
    relays: relay.network.addresses(),
    async stop() {
      await relay.stop();
      await closed(server);
    },
  };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

export interface RealPeer {
  readonly peer: Peer;
  stop(): Promise<void>;
}

/** A peer that nobody can dial but through the relay: what a guest at home meets. */
async function startRealPeer(
  { pageUrl, relays }: RealRelay,
  name: string,
  trainingRuntime?: () => Promise<Runtime>,
): Promise<RealPeer> {
  const seed = random.bytes(32);
  let peer: Peer | undefined;
  const node = await createAgentNode(
    {
      ...deps,
      seed,
      isGranted: (id, protocol) => peer?.isGranted(id, protocol) ?? false,
      isBlocked: (id) => peer?.isBlocked(id) ?? false,
    },
    { listen: [], relays, bootstrap: [] },
  );
  await node.start();
  const world = {
    ...deps,
    identity: createIdentity(crypto, seed),
    store: new MemoryStore(),
    shelf: new MemoryShelf(),
    network: node.network,
    engines: () => [scriptedEngine({ clock })],
    findings: () => [],
    api: () => pageUrl,
    ...(trainingRuntime === undefined ? {} : { trainingRuntime }),
  };
  const started = await createPeer(world, {
    name,
    version: '0.0.0',
    home: '/nowhere',
    relays,
    pageUrl,
    share: { forMs: 3_600_000, tokens: 20_000, guests: 3, concurrency: 1 },
    expose: ['*'],
    concurrency: 2,
    queueLength: 8,
  });
  peer = started;
  await started.start();
  const reserved = (): boolean => node.network.addresses().some((address) => address.includes('/p2p-circuit'));
  for (let tries = 0; tries < 100 && !reserved(); tries += 1) await clock.sleep(50);
  return {
    peer: started,
    async stop() {
      await started.stop();
      await node.stop();
    },
  };
}

export interface RealProvider {
  readonly peer: Peer;
  /** A share link for a model of the scripted engine. */
  share(model: string, tokens?: number): Promise<{ readonly id: string; readonly link: string }>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** A relay that serves the page, and a peer behind it. */
export async function startRealProvider(dist: string): Promise<RealProvider> {
  const relay = await startRealRelay(dist);
  const provider = await startRealPeer(relay, 'study-pc');
  const { peer } = provider;
  let ended: Promise<void> | undefined;
  return {
    peer,
    share: (model, tokens = 20_000) => peer.sharing.create({ model, tokens }),
    stop: () => (ended ??= provider.stop().then(() => relay.stop())),
  };
}

export interface RealTrainers {
  /** Who makes links, and another that is paired with it. */
  readonly host: Peer;
  readonly other: Peer;
  stop(): Promise<void>;
}

/** The same with two peers that may train together. */
export async function startRealTrainers(dist: string, runtime: () => Promise<Runtime>): Promise<RealTrainers> {
  const relay = await startRealRelay(dist);
  const [one, two] = await Promise.all(['study-pc', 'laptop'].map((name) => startRealPeer(relay, name, runtime)));
  if (one === undefined || two === undefined) throw new Error('two peers were started');
  const { link } = await one.peer.pairing.invite(['chat', 'train']);
  const { id } = await two.peer.pairing.join(link, AbortSignal.timeout(20_000));
  await one.peer.pairing.accept(id);
  for (let tries = 0; tries < 100 && two.peer.peers.list().every(({ kind }) => kind !== 'device'); tries += 1)
    await clock.sleep(50);
  return {
    host: one.peer,
    other: two.peer,
    async stop() {
      await Promise.all([one.stop(), two.stop()]);
      await relay.stop();
    },
  };
}
