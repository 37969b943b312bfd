import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AnswerPart, createIdentity, type LanguageModel } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, MemoryShelf, MemoryStore, silentLogger } from '@peerai/core-protocol/testing';
import { type Engine, scriptedEngine } from '@peerai/llm-bridge';
import { createPeer, type Peer } from '@peerai/peer';
import { systemClock, systemRandom } from '@peerai/platform';
import { type Edge, type EdgeOptions, startEdge } from '../src/edge/server.ts';
import { createSessionCodes } from '../src/edge/session-codes.ts';
import { openGatewayKeys } from '../src/host/gateway-keys.ts';

export const token = 'control-token-of-the-tests-0123456789';

/** The real edge over a real peer: a memory network, a memory store, the system's clock and true sockets. */
export interface TestEdge {
  readonly peer: Peer;
  readonly edge: Edge;
  readonly base: string;
  readonly store: MemoryStore;
  readonly shelf: MemoryShelf;
  /** What `endless` saw of its readers. */
  readonly endless: { running: number; endedMs: number };
  /** Times `POST /api/v1/shutdown` was heard. */
  readonly shutdowns: { count: number };
  readonly errors: string[];
  /** A request of the control API, with the token. */
  control(method: string, path: string, body?: unknown): Promise<Response>;
  stop(): Promise<void>;
}

export async function testEdge(rules: Partial<EdgeOptions['rules']> = {}): Promise<TestEdge> {
  const crypto = nodeCrypto;
  const world = { clock: systemClock, random: systemRandom, crypto };
  const identity = createIdentity(crypto, systemRandom.bytes(32));
  const network = createMemoryNetworks(world).join(identity.peer, {});
  const store = new MemoryStore();
  const shelf = new MemoryShelf();
  const endless = { running: 0, endedMs: 0 };
  const engines = [scriptedEngine(world), endlessEngine(endless)];
  const errors: string[] = [];
  const logger = {
    ...silentLogger,
    error: (event: string, facts?: unknown) => errors.push(`${event} ${JSON.stringify(facts)}`),
  };
  const parts = {
    ...world,
    identity,
    store,
    shelf,
    network,
    logger,
    engines: () => engines,
    findings: () => [],
    api: () => '',
  };
  const peer = await createPeer(parts, {
    name: 'study-pc',
    version: '0.0.0',
    home: '/nowhere',
    relays: [],
    expose: ['*'],
    share: { forMs: 7_200_000, tokens: 20_000, guests: 3, concurrency: 1 },
    concurrency: 2,
    queueLength: 8,
  });
  await peer.start();
  const keys = await openGatewayKeys({ ...world, store });
  const shutdowns = { count: 0 };
  const pages = testPages();
  const control = {
    config: () => ({ v: 1 as const, values: [] }),
    shutdown: () => (shutdowns.count += 1),
    keys,
    codes: createSessionCodes(world),
    token,
  };
  const edge = await startEdge(
    { peer, control, logger, random: systemRandom },
    {
      bind: '127.0.0.1',
      port: 0,
      pages,
      rules: {
        loopbackBind: true,
        requireToken: 'control',
        allowHosts: [],
        allowOrigins: ['https://mine.example'],
        controlToken: token,
        ...rules,
      },
    },
  );
  const base = `http://127.0.0.1:${edge.port}`;
  return {
    peer,
    edge,
    base,
    store,
    shelf,
    endless,
    shutdowns,
    errors,
    control: (method, path, body) =>
      fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async stop() {
      await edge.stop();
      await peer.stop();
      rmSync(dirname(pages), { recursive: true, force: true });
    },
  };
}

/** A model that answers until its reader goes. */
function endlessEngine(seen: TestEdge['endless']): Engine {
  const model: LanguageModel = {
    specification: 1,
    card: {
      name: 'endless',
      engine: 'scripted',
      contextTokensMax: 1_000,
      memoryBytes: 0,
      loaded: true,
      deterministic: true,
      fits: true,
    },
    async *generate(_prompt, _sampling, signal): AsyncGenerator<AnswerPart, void, undefined> {
      seen.running += 1;
      try {
        for (;;) {
          await systemClock.sleep(20, signal);
          yield { type: 'text-delta', text: 'more ' };
        }
      } finally {
        seen.running -= 1;
        seen.endedMs = Date.now();
      }
    },
  };
  return {
    kind: 'scripted',
    list: async () => [model],
    model: async (name) => (name === 'endless' ? model : undefined),
  };
}

/** Built pages, as far as serving them goes, and a secret beside their folder. */
function testPages(): string {
  const folder = mkdtempSync(join(tmpdir(), 'peerai-pages-'));
  const pages = join(folder, 'pages');
  mkdirSync(join(pages, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(pages, 'index.html'), '<title>dashboard</title>');
  writeFileSync(join(pages, 'share.html'), '<title>guest</title>');
  writeFileSync(join(pages, 'train.html'), '<title>train</title>');
  writeFileSync(join(pages, 'assets', 'app-1.js'), 'export {};');
  return pages;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request just as written: `fetch` would set Host, clean the path and refuse some headers. */
export function raw(
  base: string,
  options: {
    readonly method?: string;
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  },
): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const { method = 'GET', path, headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
