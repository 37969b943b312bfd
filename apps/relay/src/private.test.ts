import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrawledPeer } from '@peerai/core-protocol';
import { until } from '@peerai/transport/testing';
import { expect, test, vi } from 'vitest';
import { addressOf, start, stats, testRelays } from '../test/program.ts';

const { folder, nodes, relay } = testRelays('private');
const onlySockets = { transports: { tcp: true, websocket: true, webrtc: false, quic: false } };
const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const hex = (key: Uint8Array): string => [...key].map((byte) => byte.toString(16).padStart(2, '0')).join('');

test('a relay of a private network gives a place to those alone who have its key', { timeout: 60_000 }, async () => {
  const file = join(folder, 'network.key');
  writeFileSync(file, `${hex(keyOf(7))}\n`);
  const running = await relay('--psk-file', file);
  // Nor do strangers meet there by the other protocol.
  const stranger = new WebSocket(`${running.ready.http.replace('http', 'ws')}/signal`);
  const refused = await new Promise<string>((resolve) => {
    for (const event of ['open', 'error']) stranger.addEventListener(event, () => resolve(event));
  });
  expect(refused).toBe('error');
  const options = { ...onlySockets, listen: [], relays: [addressOf(running)] };
  const reasons: string[] = [];
  const warn = (_event: string, { reason }: { reason?: unknown } = {}): void => void reasons.push(String(reason));
  const logger = { debug() {}, info() {}, warn, error() {} };
  await nodes.agent(options, { logger });
  await nodes.agent(options, { logger, networkKey: keyOf(8) });
  await nodes.agent(options, { networkKey: keyOf(7) });
  await vi.waitFor(async () => expect(await stats(running)).toMatchObject({ reservations: 1 }), { timeout: 20_000 });
  await until(() => reasons.length >= 2);
  expect(await stats(running)).toMatchObject({ reservations: 1, online_peers: 1 });
});

test.each([
  ['a file that is not there', 'nothing.key', undefined],
  ['a file without a key', 'bad.key', 'no key'],
])('%s is refused with the flag’s name', { timeout: 20_000 }, async (_name, file, text) => {
  const place = join(folder, file);
  if (text !== undefined) writeFileSync(place, text);
  const child = start(['--port', '0', '--tcp-port', '0', '--home', join(folder, 'home'), '--psk-file', place]);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (said += part));
  const [code] = (await once(child, 'close')) as [number];
  expect([code, said]).toEqual([9, expect.stringContaining('--psk-file')]);
});

test('a relay keeps those together in the DHT who know it alone', { timeout: 60_000 }, async () => {
  const bootstrap = [addressOf(await relay())];
  const [one, other] = [
    await nodes.agent({ ...onlySockets, bootstrap, dht: true }),
    await nodes.agent({ ...onlySockets, bootstrap, dht: true }),
  ];
  const walk = async (): Promise<CrawledPeer | undefined> => {
    const { crawler } = one;
    if (crawler === undefined) throw new Error('an agent can walk');
    for await (const met of crawler.crawl(AbortSignal.timeout(20_000))) if (met.peer === other.network.self) return met;
    return undefined;
  };
  await vi.waitFor(async () => expect(await walk()).toMatchObject({ state: 'reachable' }), { timeout: 40_000 });
});
