import { randomBytes } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createIdentity, sealWithSecret, toHex } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { sealConcat, sealSix } from '@peerai/core-protocol/pcp';
import { ManualClock } from '@peerai/core-protocol/testing';
import { pair } from '@peerai/testnet';
import { afterAll, expect, test } from 'vitest';
import { type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

const agents = ownAgents();
const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) server.close();
  await agents.stop();
});

const secret = 'a secret of both sides';
const random = { bytes: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };
const older = createIdentity(nodeCrypto, random.bytes(32));
const sealing = (identity = older) => ({ identity, random, clock: new ManualClock(Date.now()), crypto: nodeCrypto });
const plain = (name: string, more: Record<string, object> = {}): Settings => ({
  llm: { engines: ['scripted'] },
  api: { port: 0 },
  ...more,
  http: { port: 0, ...more['http'] },
  network: { name, listen_address: '127.0.0.1:0', discovery: { mdns: false }, ...more['network'] },
});
const pinned = { name: 'entity-a', profile: 'pcp/1.0-six', public_key: toHex(older.publicKey) };
const six = (kind: string, payload: Record<string, unknown>): Uint8Array =>
  sealSix(sealing(), { version: '0.3', kind, senderId: 'entity-a', payload });

async function post(agent: OwnAgent, path: string, body: Uint8Array | object) {
  const sent = body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
  const response = await fetch(agent.info.http + path, { method: 'POST', body: sent });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const get = async (agent: OwnAgent, path: string) =>
  (await (await fetch(agent.info.http + path)).json()) as Record<string, unknown>;

test('an agent takes signed messages of a pinned older peer once, also over kill -9', { timeout: 60_000 }, async () => {
  let b = await agents.start('pinned', plain('entity-b', { http: { peers: [pinned] } }));
  const body = six('text', { text: 'hello' });
  expect(await post(b, '/message', body)).toMatchObject({
    status: 200,
    body: { status: 'received', entity_id: 'entity-b', verification: 'passed' },
  });
  const v01 = { kind: 'delegate', senderId: 'entity-a', recipientId: 'entity-b', payload: { task_id: '1' } };
  expect((await post(b, '/v0.1/message', sealConcat(sealing(), { ...v01, kind: 'ping' }))).body).toMatchObject({
    msg_type: 'pong',
  });
  const stranger = createIdentity(nodeCrypto, random.bytes(32));
  const unknown = sealSix(sealing(stranger), { version: '0.3', kind: 'text', senderId: 'x', payload: {} });
  expect(await post(b, '/message', unknown)).toMatchObject({ status: 401, body: { detail: 'Unknown sender: x' } });
  expect(await get(b, '/health')).toMatchObject({ status: 'healthy', trust: 'known', peers: 1, entity_id: 'entity-b' });
  expect(await get(b, '/peers')).toMatchObject({ count: 1, peers: [{ entity_id: 'entity-a', has_public_key: true }] });
  expect(await get(b, '/stats')).toMatchObject({ stats: { 'entity-a': { total_messages_received: 2 } } });
  await b.child.kill();
  b = (await b.restart()) as OwnAgent;
  expect(await post(b, '/message', body)).toMatchObject({ status: 409, body: { error: { code: 'REPLAY_DETECTED' } } });
  expect(await b.client.messages()).toMatchObject([{ fromName: 'entity-a', payload: { text: 'hello' } }]);
  // The local API is another port: nothing of it is served here.
  expect((await fetch(`${b.info.http}/api/v1/node`)).status).toBe(404);
});

test('open mode is a setting, takes effect and is shown', { timeout: 60_000 }, async () => {
  const c = await agents.start('open', plain('entity-c', { http: { trust: 'open', profiles: ['pcp/1.0-six'] } }));
  expect(await get(c, '/health')).toMatchObject({ trust: 'open', profiles: ['pcp/1.0-six'] });
  expect((await post(c, '/message', six('text', { text: 'who?' }))).status).toBe(401);
  expect((await post(c, '/message', six('handshake', { public_key: toHex(older.publicKey) }))).status).toBe(200);
  expect((await post(c, '/message', six('text', { text: 'hello' }))).status).toBe(200);
  expect(await c.client.messages()).toMatchObject([{ fromName: 'entity-a' }]);
  expect((await fetch(`${c.info.http}/v0.1/health`)).status).toBe(404);
});

test('two assistants with a shared secret write to each other, and nothing shows it', { timeout: 60_000 }, async () => {
  const b = await agents.start('secret-b', plain('assistant_b', { security: { shared_secret: secret } }));
  const to = { name: 'assistant_b', profile: 'inbox', url: b.info.http };
  const a = await agents.start(
    'secret-a',
    plain('assistant_a', { security: { shared_secret: secret }, http: { peers: [to] } }),
  );
  expect(await a.client.send('assistant_b', 'text', 'hello')).toMatchObject({ state: 'delivered', path: 'http' });
  expect(await b.client.messages()).toMatchObject([{ fromName: 'assistant_a', payload: { text: 'hello' } }]);
  const encrypted = sealWithSecret({ crypto: nodeCrypto, random }, 'another secret', 'hi');
  expect(await post(b, '/inbox', { from: 'x', to: 'assistant_b', encrypted })).toMatchObject({
    status: 400,
    body: { error: { message: 'Failed to decrypt message' } },
  });
  const shown = JSON.stringify([await b.client.config(), b.lines]);
  expect([shown.includes('security.shared_secret'), shown.includes(secret)]).toEqual([true, false]);
});

test('paired agents that no link joins go on by HTTP, through a reverse proxy', { timeout: 90_000 }, async () => {
  const proxy = await reverseProxy();
  let a = await agents.start('proxy-a', plain('a'));
  let b = await agents.start('proxy-b', plain('b', { http: { external_url: proxy.url } }));
  proxy.to(b.info.http);
  await pair(a, b);
  expect(await a.client.send('b', 'text', 'over the link')).toMatchObject({ state: 'delivered', path: 'link' });
  // No way to connect that both have.
  const only = (kind: string) => ({
    transports: { tcp: false, websocket: false, webrtc: false, quic: false, [kind]: true },
  });
  a = await a.again(plain('a', { network: only('tcp') }));
  b = await b.again(plain('b', { network: only('websocket'), http: { external_url: proxy.url } }));
  proxy.to(b.info.http);
  const sent = await a.client.send('b', 'text', 'by HTTP');
  await expect
    .poll(async () => (await b.client.messages()).map(({ payload }) => payload), { timeout: 40_000 })
    .toEqual(['by HTTP', 'over the link']);
  expect(['delivered', 'queued']).toContain(sent.state);
  // The letter went inside a session: what stands on the way saw neither its words nor its kind.
  expect([proxy.bodies.includes('by HTTP'), proxy.paths.has('/message')]).toEqual([false, false]);
  expect(await b.client.peerSessions()).toMatchObject([{ name: 'a', role: 'responder', suite: 'aes-256-gcm' }]);
  // The lists are closed once others can reach this face; the proxied name is served.
  expect((await fetch(`${proxy.url}/peers`)).status).toBe(403);
  expect((await fetch(`${proxy.url}/health`)).status).toBe(200);
  expect((await fetch(`${proxy.url}/api/v1/node`)).status).toBe(404);
});

test('two agents shake hands in three and in six steps, and their heartbeats show', { timeout: 60_000 }, async () => {
  const quick = { network: { heartbeat: '100ms' }, http: { session_life: '90s' } };
  const a = await agents.start('hands-a', plain('a', quick));
  const b = await agents.start('hands-b', plain('b', quick));
  await pair(a, b);
  const idOfB = (await a.client.peers()).find(({ name }) => name === 'b')?.peerId ?? '';
  const made: string[] = [];
  for (const six of [false, true]) {
    const one = await a.client.handshake(idOfB, six);
    expect(one).toMatchObject({ state: 'established', steps: six ? 6 : 3, theirId: one.id, name: 'b' });
    expect(one.expiresMs - Date.now()).toBeLessThanOrEqual(90_000);
    made.push(one.id);
  }
  expect((await b.client.peerSessions()).map(({ id }) => id)).toEqual(made);
  expect((await a.client.peerSessions()).map(({ id }) => id)).toEqual(made.slice(1));
  await expect
    .poll(async () => (await get(a, '/health'))['heartbeat'], { timeout: 20_000 })
    .toMatchObject({ interval_ms: 100, peer_status: { b: 'healthy' }, healthy_count: 1 });
  const [before] = (await a.client.peers()).map(({ report }) => report?.sequence ?? 0);
  await expect
    .poll(async () => (await a.client.peers())[0]?.report?.sequence ?? 0, { timeout: 20_000 })
    .toBeGreaterThan((before ?? 0) + 2);
});

/** As nginx would: passes requests on, Host and all; and remembers what it saw. */
async function reverseProxy(): Promise<{
  readonly url: string;
  readonly paths: ReadonlySet<string>;
  readonly bodies: string;
  to(base: string): void;
}> {
  let base = '';
  const paths = new Set<string>();
  let bodies = '';
  const server = createServer((incoming, outgoing) => {
    paths.add(incoming.url ?? '');
    incoming.on('data', (piece: Buffer) => {
      bodies += piece.toString('latin1');
    });
    const passed = request(
      base + (incoming.url ?? '/'),
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    get bodies() {
      return bodies;
    },
    to: (to) => void (base = to),
  };
}
