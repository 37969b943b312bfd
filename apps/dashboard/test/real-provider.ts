import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { createIdentity, nobleCrypto as crypto } from '@peerai/core-protocol';
import { MemoryStore, silentLogger as logger } from '@peerai/core-protocol/testing';
import { scriptedEngine } from '@peerai/llm-bridge';
import { createPeer, type Peer } from '@peerai/peer';
import { nodeRandom as random, systemClock as clock } from '@peerai/platform/node';
import { createAgentNode, createRelayNode } from '@peerai/transport/node';
import { pagePolicy } from './fixture-agent.ts';

export interface RealProvider {
  readonly peer: Peer;
  /** A share link for a model of the scripted engine. */
  share(model: string, tokens?: number): Promise<{ readonly id: string; readonly link: string }>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** A relay that serves the page, and a peer that nobody can dial but through it: what a guest at home meets. */
export async function startRealProvider(dist: string): Promise<RealProvider> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    const file = pathname === '/s' ? 'share.html' : normalize(pathname);
    readFile(join(dist, file)).then(
      (content) => {
        const headers = {
          'content-type': types[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': pagePolicy,
        };
        return response.writeHead(200, headers).end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pageUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/s`;
  const deps = { clock, random, logger, crypto };
  const relay = await createRelayNode(
    { ...deps, seed: random.bytes(32), isGranted: () => false },
    { listen: [], httpServer: server },
  );
  await relay.start();
  const relays = relay.network.addresses();

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
    network: node.network,
    engines: () => [scriptedEngine({ clock })],
    findings: () => [],
    api: () => pageUrl,
  };
  peer = await createPeer(world, {
    name: 'study-pc',
    version: '0.0.0',
    home: '/nowhere',
    relays,
    pageUrl,
    share: { forMs: 3_600_000, tokens: 20_000, guests: 3, concurrency: 1 },
    expose: ['*'],
    concurrency: 2,
    queueLength: 8,
  });
  await peer.start();
  const started = peer;
  const reserved = (): boolean => node.network.addresses().some((address) => address.includes('/p2p-circuit'));
  for (let tries = 0; tries < 100 && !reserved(); tries += 1) await clock.sleep(50);
  const end = async (): Promise<void> => {
    await started.stop();
    await node.stop();
    await relay.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  let ended: Promise<void> | undefined;
  return {
    peer: started,
    share: (model, tokens = 20_000) => started.sharing.create({ model, tokens }),
    stop: () => (ended ??= end()),
  };
}
