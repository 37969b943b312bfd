import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pair } from '@peerai/testnet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

const agents = ownAgents();
afterAll(() => agents.stop(), 20_000);

/** What nothing else contains: whose files hold it has kept the letter. */
const canary = `canary-${crypto.randomUUID()}`;
const soon = { timeout: 40_000, interval: 200 };
const settings = (name: string, network: Settings = {}): Settings => ({
  llm: { engines: ['nano'] },
  api: { port: 0 },
  // Chosen anew at each start: what others were told of it leads nowhere then.
  http: { port: 0 },
  logging: { level: 'debug', format: 'json' },
  network: {
    name,
    listen_address: '127.0.0.1:0',
    discovery: { mdns: false },
    transports: { webrtc: false },
    ...network,
  },
});
/** Others are told an address where nobody is (RFC 5737), and the port is another one than before. */
const away = { external_address: '192.0.2.1:4001' };
const peerOf = async ({ client }: OwnAgent, name: string) => (await client.peers()).find((peer) => peer.name === name);
const isOnline = async (agent: OwnAgent, name: string): Promise<void> => {
  await vi.waitFor(async () => expect(await peerOf(agent, name)).toMatchObject({ state: 'online' }), soon);
};

let a: OwnAgent;
let b: OwnAgent;
let c: OwnAgent;
beforeAll(async () => {
  [a, b, c] = [
    await agents.start('a', settings('a')),
    await agents.start('b', settings('b')),
    await agents.start('c', settings('c')),
  ];
  await pair(c, a);
  await pair(b, a);
  await pair(b, c);
  await b.client.changePeer(a.info.peerId, { allow: ['route'] });
  // Away meanwhile, or it might be told where the new face of c is.
  await a.child.stop();
  c = await c.again(settings('c', away));
  await isOnline(b, 'c');
  a = await a.again(settings('a', away));
  await isOnline(a, 'b');
}, 150_000);

test('a letter reaches a device that only another one has a link to, and both say which way it went', async () => {
  await vi.waitFor(async () => expect(await peerOf(a, 'c')).toMatchObject({ path: null, through: ['b'] }), soon);
  await a.client.send('c', 'text', canary);
  const arrived = async () => expect(await c.client.messages()).toMatchObject([{ fromName: 'a', payload: canary }]);
  await vi.waitFor(arrived, soon);
  // One may be queued while a link is tried; it is soon known that there is none.
  const again = async () =>
    expect(await a.client.send('c', 'text', 'again')).toMatchObject({ state: 'delivered', path: 'route' });
  await vi.waitFor(again, soon);
  expect(await peerOf(a, 'c')).toMatchObject({ state: 'offline', path: null });
}, 120_000);

test('the one between has no right of its own to it: nothing goes back through it, and nothing of the letter is kept there', async () => {
  expect(await peerOf(c, 'a')).not.toHaveProperty('through');
  expect(await c.client.send('a', 'text', 'and back')).toMatchObject({ state: 'queued' });
  expect(await b.client.messages()).toEqual([]);
  const holds = (agent: OwnAgent): boolean =>
    globSync(join(agent.info.home, '**'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(canary));
  // That it is found where it must be shows that the search finds it.
  expect([holds(c), holds(b)]).toEqual([true, false]);
  expect(b.lines.join('\n')).not.toContain(canary);
}, 30_000);
