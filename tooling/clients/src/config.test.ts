import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { freePort } from '@peerai/config/free-port';
import { nobleCrypto } from '@peerai/core-protocol';
import { decodeTicket, parseLink } from '@peerai/core-protocol/access';
import { startWireEngine, type WireServer } from '@peerai/llm-bridge/testing';
import { pair, startTestnet, type Testnet } from '@peerai/testnet';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isOpen, type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

/** Nobody listens there: what is announced so is reached over a relay or not at all. */
const nowhere = '127.0.0.1:9';
const exposed = ['echo', 'echo-slow', 'plain:latest', 'old-7b.Q4'];
const agents = ownAgents();
let net: Testnet;
let ollama: WireServer;
let llamaServer: WireServer;
let ports: { readonly study: number; readonly laptop: number; readonly tablet: number; readonly api: number };
let study: OwnAgent;
let laptop: OwnAgent;
let tablet: OwnAgent;
let tabletSettings: Settings;
const logFile = join(agents.folder, 'study', 'logs', 'agent.log');

beforeAll(async () => {
  [net, ollama, llamaServer] = await Promise.all([
    startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {} }),
    startWireEngine('ollama'),
    startWireEngine('completion'),
  ]);
  ports = { study: await freePort(2), laptop: await freePort(2), tablet: await freePort(2), api: await freePort() };
  const relay = net.relays[0]?.info;
  const webSocket = relay?.addresses.find((one) => one.includes('/ws')) ?? '';
  const tcp = relay?.addresses.find((one) => !one.includes('/ws')) ?? '';
  const common = { discovery: { mdns: false }, external_address: nowhere };
  tabletSettings = {
    network: {
      ...common,
      external_address: '/dns4/tablet.example/tcp/443/wss',
      listen_address: `127.0.0.1:${ports.tablet}`,
      name: 'tablet',
      relays: [webSocket],
      transports: { tcp: false },
    },
    llm: { engines: ['nano'] },
    api: { port: 0 },
    logging: { level: 'silent' },
  };
  [study, laptop, tablet] = await Promise.all([
    agents.start('study', {
      network: { ...common, listen_address: `127.0.0.1:${ports.study}`, name: 'study-pc', relays: [relay?.http] },
      llm: {
        engines: [
          'scripted',
          { type: 'ollama', url: ollama.url },
          { type: 'openai-compatible', url: llamaServer.url },
          'nano',
        ],
        default_model: 'old-7b.Q4',
        expose: exposed,
        max_concurrent: 1,
        queue_length: 1,
        system_prompt: 'Be brief.',
      },
      share: { page_url: 'https://page.example/peerai', for: '90m', tokens: 4_321, guests: 7, concurrency: 2 },
      api: { bind: '127.0.0.2', port: ports.api },
      security: { allow_origins: ['https://mine.example'], allow_hosts: ['study.lan'] },
      logging: { level: 'debug', file: logFile, rotate: { size: '400B', keep: 2 } },
    }),
    agents.start('laptop', {
      network: {
        ...common,
        listen_address: `127.0.0.1:${ports.laptop}`,
        name: 'laptop',
        relays: [tcp],
        transports: { websocket: false, webrtc: false },
      },
      llm: { engines: ['nano'] },
      api: { port: 0, require_token: 'all' },
      logging: { format: 'text' },
    }),
    agents.start('tablet', tabletSettings),
  ]);
  await pair(study, laptop);
  await pair(study, tablet);
}, 60_000);
afterAll(async () => {
  await agents.stop();
  await Promise.all([net?.stop(), ollama?.stop(), llamaServer?.stop()]);
}, 20_000);

/** One question through an agent's gateway. */
function ask(
  { info }: OwnAgent,
  model: string | undefined,
  text: string,
  init: { readonly token?: string; readonly system?: string } = {},
): Promise<Response> {
  const system = init.system === undefined ? [] : [{ role: 'system', content: init.system }];
  return fetch(`${info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }),
    },
    body: JSON.stringify({ model, messages: [...system, { role: 'user', content: text }] }),
  });
}
const codeOf = async (response: Response): Promise<unknown> => {
  const { error } = (await response.json()) as { readonly error?: { readonly code?: string } };
  return error?.code;
};
const pathOf = async (here: OwnAgent, there: OwnAgent): Promise<unknown> =>
  (await here.client.peers()).find(({ peerId }) => peerId === there.info.peerId)?.path;

describe('network', () => {
  test('listen_address opens TCP there and WebSocket on the next port', async () => {
    expect(await Promise.all([isOpen(ports.study), isOpen(ports.study + 1)])).toEqual([true, true]);
  });

  test('transports.tcp and transports.websocket close theirs', async () => {
    expect(await Promise.all([isOpen(ports.tablet), isOpen(ports.tablet + 1)])).toEqual([false, true]);
    expect(await Promise.all([isOpen(ports.laptop), isOpen(ports.laptop + 1)])).toEqual([true, false]);
  });

  test('external_address is announced instead of the own ones, host:port and multiaddr', async () => {
    expect(study.info.addresses).toEqual(
      expect.arrayContaining([
        `/ip4/127.0.0.1/tcp/9/p2p/${study.info.peerId}`,
        `/ip4/127.0.0.1/tcp/10/ws/p2p/${study.info.peerId}`,
      ]),
    );
    expect(tablet.info.addresses).toContain(`/dns4/tablet.example/tcp/443/wss/p2p/${tablet.info.peerId}`);
    for (const { info } of [study, laptop, tablet]) {
      for (const port of Object.values(ports)) expect(info.addresses.join(' ')).not.toContain(`/tcp/${port}`);
    }
  });

  test('name is what others see', async () => {
    expect((await study.client.peers()).map(({ name }) => name).toSorted()).toEqual(
      expect.arrayContaining(['laptop', 'tablet']),
    );
  });

  test('relays are used, given as multiaddr and as http address', async () => {
    for (const { client } of [study, laptop]) {
      expect((await client.node()).relays).toMatchObject([{ state: 'connected', peerId: net.relays[0]?.info.peerId }]);
    }
  });

  test('transports.webrtc makes the way direct where it is on at both ends, and is the only way here', async () => {
    await vi.waitFor(async () => expect(await pathOf(study, tablet)).toBe('direct'), { timeout: 15_000 });
    expect(await pathOf(study, laptop)).toBe('relayed');
    const response = await ask(laptop, 'echo@study-pc', 'far', { token: laptop.info.token });
    expect([response.status, response.headers.get('x-peerai-path')]).toEqual([200, 'relayed']);
  });
});

describe('llm', () => {
  const asLaptop = (model: string, text: string, system?: string): Promise<Response> =>
    ask(laptop, model, text, { token: laptop.info.token, ...(system === undefined ? {} : { system }) });

  test('engines are those named, of each kind', async () => {
    const { engines } = await study.client.node();
    expect(engines.map(({ kind, url, state }) => `${kind} ${url ?? ''} ${state}`)).toEqual([
      'scripted  found',
      `ollama ${ollama.url} found`,
      `openai-compatible ${llamaServer.url} found`,
      'nano  found',
    ]);
    const models = (await study.client.models()).models.filter(({ local }) => local).map(({ model }) => model);
    expect(models).toEqual(expect.arrayContaining([...exposed, 'nano', 'slow:latest']));
  });

  test('expose is what a paired device sees, and all it gets', async () => {
    const seen = (await laptop.client.peers()).find(({ peerId }) => peerId === study.info.peerId)?.models ?? [];
    expect(seen.toSorted()).toEqual(exposed.toSorted());
    const hidden = await asLaptop('lorem-100@study-pc', 'hello');
    expect([hidden.status, await codeOf(hidden)]).toEqual([404, 'MODEL_UNKNOWN']);
  });

  test('system_prompt goes before a conversation that has none of its own', async () => {
    const messages = (): unknown => ollama.asked.filter(({ path }) => path === '/api/chat').at(-1)?.body.messages;
    expect((await asLaptop('plain@study-pc', 'hello')).status).toBe(200);
    expect(messages()).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hello' },
    ]);
    expect((await asLaptop('plain@study-pc', 'hello', 'Be long.')).status).toBe(200);
    expect(messages()).toMatchObject([{ role: 'system', content: 'Be long.' }, { role: 'user' }]);
  });

  test('default_model is the one named as such', async () => {
    expect((await study.client.models()).defaultModel).toBe('old-7b.Q4');
    expect((await laptop.client.models()).defaultModel).not.toBe('old-7b.Q4');
  });

  test('max_concurrent answers are made, queue_length requests wait, the next one hears 429', async () => {
    const long = 'word '.repeat(40);
    const answering = async () => (await study.client.node()).answering;
    const first = asLaptop('echo-slow@study-pc', long);
    await vi.waitFor(async () => expect(await answering()).toEqual({ active: 1, queued: 0, concurrentMax: 1 }));
    const second = asLaptop('echo-slow@study-pc', 'two');
    await vi.waitFor(async () => expect(await answering()).toEqual({ active: 1, queued: 1, concurrentMax: 1 }));
    const third = await asLaptop('echo-slow@study-pc', 'three');
    expect([third.status, await codeOf(third)]).toEqual([429, 'QUEUE_FULL']);
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });
});

test('share.page_url, for, tokens, guests and concurrency are in a link that names none of them', async () => {
  const { link, createdMs, expiresMs, tokens, guestsMax, concurrency } = await study.client.share({ model: 'echo' });
  expect(link.startsWith('https://page.example/peerai/s#')).toBe(true);
  expect({ lifeMs: expiresMs - createdMs, tokens: tokens.budget, guestsMax, concurrency }).toEqual({
    lifeMs: 5_400_000,
    tokens: 4_321,
    guestsMax: 7,
    concurrency: 2,
  });
  const { ticket } = parseLink(link) as { readonly ticket: string };
  expect(decodeTicket(nobleCrypto, ticket)).toMatchObject({
    expiresMs,
    tokens: 4_321,
    guests: 7,
    concurrency: 2,
    models: ['echo'],
  });
});

describe('api and security', () => {
  /** The Host header is not fetch's to set. */
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      httpRequest(`${study.info.api}/v1/models`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });

  test('bind and port are where the local API is, and nowhere else', async () => {
    expect(study.info.api).toBe(`http://127.0.0.2:${ports.api}`);
    expect(await Promise.all([isOpen(ports.api, '127.0.0.2'), isOpen(ports.api, '127.0.0.1')])).toEqual([true, false]);
  });

  test('require_token: all closes the gateway to programs without one; control leaves it open to this machine', async () => {
    const [open, closed] = [await ask(study, 'echo', 'bare'), await ask(laptop, 'nano', 'bare')];
    expect([open.status, closed.status, await codeOf(closed)]).toEqual([200, 401, 'TOKEN_MISSING']);
  });

  test('allow_hosts lets a name in', async () => {
    expect([await statusFor('study.lan'), await statusFor('other.lan')]).toEqual([200, 403]);
  });

  test('allow_origins lets pages of an origin in, and tells browsers so', async () => {
    const from = (origin: string): Promise<Response> =>
      fetch(`${study.info.api}/v1/models`, { headers: { origin, authorization: `Bearer ${study.info.token}` } });
    const [mine, other] = [await from('https://mine.example'), await from('https://other.example')];
    expect([mine.status, mine.headers.get('access-control-allow-origin')]).toEqual([200, 'https://mine.example']);
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });
});

describe('logging', () => {
  test('file takes the lines instead of stderr, put aside at rotate.size, rotate.keep of them', async () => {
    const folder = join(logFile, '..');
    expect(readdirSync(folder).toSorted()).toEqual(['agent.log', 'agent.log.1', 'agent.log.2']);
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).size).toBeLessThanOrEqual(400);
      for (const line of readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'))
        expect(JSON.parse(line)).toHaveProperty('event');
    }
    expect(study.lines).toEqual([]);
  });

  test('format: text is for people, and level: silent says nothing', () => {
    expect(laptop.lines.join('\n')).toMatch(/^\d\d:\d\d:\d\d info {2}agent-ready api=http/m);
    expect(tablet.lines).toEqual([]);
  });
});
