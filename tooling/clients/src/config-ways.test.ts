import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pair } from '@peerai/testnet';
import { createSocksServer } from '@peerai/transport/testing';
import { afterAll, expect, test, vi } from 'vitest';
import { type OwnAgent, ownAgents, type Settings } from './own-agents.ts';

const agents = ownAgents();
const ended: (() => unknown)[] = [];
afterAll(async () => {
  await agents.stop();
  await Promise.all(ended.map((end) => end()));
}, 20_000);

const settings = (name: string, transports: Settings, more: Settings = {}): Settings => ({
  network: { listen_address: '127.0.0.1:0', discovery: { mdns: false }, name, transports },
  llm: { engines: ['scripted'] },
  api: { port: 0 },
  logging: { level: 'warn', format: 'json' },
  ...more,
});
async function ask({ info }: OwnAgent, peer: string): Promise<readonly [number, string | null]> {
  const response = await fetch(`${info.api}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: `echo@${peer}`, messages: [{ role: 'user', content: 'hello' }] }),
    signal: AbortSignal.timeout(20_000),
  });
  await response.text();
  return [response.status, response.headers.get('x-peerai-path')];
}

test('transports.quic listens beside TCP, unless it is off', async () => {
  const [on, off] = [
    await agents.start('quic-on', settings('quic-on', {})),
    await agents.start('quic-off', settings('quic-off', { quic: false })),
  ];
  const kinds = ({ info }: OwnAgent): readonly boolean[] => [
    info.addresses.some((one) => one.includes('/quic-v1/')),
    info.addresses.some((one) => one.includes('/tcp/')),
  ];
  expect([kinds(on), kinds(off)]).toEqual([
    [true, true],
    [false, true],
  ]);
}, 120_000);

test('transports.file_signalling alone brings two together that share nothing but a folder', async () => {
  const folder = join(agents.folder, 'shared');
  mkdirSync(folder);
  const alone = { tcp: false, websocket: false, webrtc: false, quic: false, file_signalling: folder };
  const [near, far] = [
    await agents.start('file-near', settings('file-near', alone)),
    await agents.start('file-far', settings('file-far', alone)),
  ];
  expect(near.info.addresses).toEqual([]);
  await pair(near, far);
  expect(await ask(near, 'file-far')).toEqual([200, 'direct']);
  expect(await near.client.peers()).toMatchObject([{ name: 'file-far', path: 'direct', transport: 'file' }]);
  await far.child.stop();
  // What the other writes anew just now has another name for a moment.
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([`${near.info.peerId}.here.json`]), { timeout: 10_000 });
}, 180_000);

test('with transports.socks5 or security.enable_tor everything goes through the proxy, and no own address is told', async () => {
  const socks = await createSocksServer();
  ended.push(() => socks.close());
  const open = await agents.start('open', settings('open', { quic: false, websocket: false }));
  const port = open.info.addresses[0]?.split('/')[4];
  const proxy = `${socks.host}:${socks.port}`;
  for (const [name, security] of [
    ['hidden', {}],
    ['hidden-tor', { security: { enable_tor: true } }],
  ] as const) {
    const before = socks.asked.length;
    const hidden = await agents.start(name, settings(name, { socks5: proxy }, security));
    expect(hidden.info.addresses).toEqual([]);
    await pair(open, hidden);
    expect(await ask(hidden, 'open')).toEqual([200, 'direct']);
    expect(new Set(socks.asked.slice(before))).toEqual(new Set([`127.0.0.1:${port}`]));
    await hidden.child.stop();
  }
}, 180_000);
