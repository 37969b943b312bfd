import { readFileSync, rmSync, mkdtempSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { createIdentity, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type PageServer, servePage } from '@peerai/demo-tabs';
import { firstState, localSgd } from '@peerai/nn-engine/rounds';
import { type DeviceDeps, DistributedNeuralNetwork } from '@peerai/peer/compat';
import { nodeRandom, openStore, systemClock } from '@peerai/platform/node';
import { startTestnet, type Testnet, until } from '@peerai/testnet';
import { createNativeSignalNode } from '@peerai/transport/node';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openChromium } from './browser.ts';

let testnet: Testnet;
let browser: Browser;
let page: PageServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peerai-demo-tabs-'));
  [testnet, browser, page] = await Promise.all([
    startTestnet({ agents: 0, relays: 1, engine: 'scripted', env: {} }),
    openChromium(),
    servePage(),
  ]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await page?.stop();
  await testnet?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 20_000);

const relayUrl = (): string => (testnet.relays[0]?.info.http ?? '').replace(/^http/u, 'ws');
const quiet = (): void => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const world = { clock: systemClock, random: nodeRandom, crypto: nodeCrypto, logger };

let opened = 0;
/** A device of this process, with a file of its own, and the names of its methods as they are called. */
async function device(deviceId: string, called: Set<string>, more: Partial<DeviceDeps> = {}) {
  const seed = nodeRandom.bytes(32);
  opened += 1;
  const store = await openStore(join(folder, `${opened}.sqlite`));
  const network = new DistributedNeuralNetwork(deviceId, {
    ...world,
    store,
    identity: createIdentity(nodeCrypto, seed),
    open: (isGranted) => createNativeSignalNode({ ...world, seed, isGranted }, { deviceId }),
    accepts: () => true,
    ...more,
  });
  const free = async (): Promise<void> => {
    await network.free();
    await store.close();
  };
  return { network: noting(network, called), free };
}

/** The same object; what is called on it is noted. */
function noting(network: DistributedNeuralNetwork, called: Set<string>): DistributedNeuralNetwork {
  return new Proxy(network, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      called.add(String(name));
      return value.bind(target) as unknown;
    },
  });
}

/** Eight weights that each device pulls towards a place of its own. */
const pull =
  (to: number): NonNullable<DeviceDeps['learning']> =>
  async (task) =>
    task === 'pull'
      ? {
          spec: {
            name: task,
            task: nodeCrypto.sha256(new TextEncoder().encode(task)),
            size: 8,
            rounds: 2,
            localSteps: 1,
            bits: 8,
            rule: 'trimmed-mean',
            liars: 0,
            outer: localSgd,
            membersMin: 2,
            roundMs: 20_000,
          },
          from: firstState(new Float32Array(8)),
          learner: { learn: async (weights) => ({ weights: weights.map((one) => (one + to) / 2), loss: 1 }) },
        }
      : undefined;

test('the example of docs/seed-api.md runs over a real relay and prints what it says', async () => {
  const text = readFileSync(new URL('../../../docs/seed-api.md', import.meta.url), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/u.exec(text) ?? [];
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const place = new URL(`../dist/seed-api-${process.pid}.ts`, import.meta.url);
  mkdirSync(new URL('.', place), { recursive: true });
  const given = { relay: relayUrl(), folder };
  const start = `const { relay, folder } = ${JSON.stringify(given)};\n`;
  try {
    writeFileSync(place, start + code);
    await import(/* @vite-ignore */ place.href);
    expect(printed.mock.calls.map((values) => values.join(' '))).toEqual([
      'my_device_id: Hello P2P!',
      '2',
      '60 steps of cluster vision',
    ]);
  } finally {
    printed.mockRestore();
    rmSync(place, { force: true });
  }
}, 30_000);

test('every method of the class does its work between two devices over real sockets', async () => {
  const called = new Set<string>();
  const heard: string[] = [];
  const lending: DeviceDeps['lending'] = { borrow: async ({ node }) => `lease of ${node}`, complete: async () => true };
  const [{ network: a, free: freeA }, { network: b, free: freeB }] = [
    await device('node-a', called, { learning: pull(1), lending }),
    await device('node-b', called, {
      learning: pull(3),
      onMessage: (from, text) => void heard.push(`${from}: ${text}`),
    }),
  ];
  for (const network of [a, b]) {
    expect(network.create_cluster('c', 6)).toBe(true);
    expect(network.is_connected_to_signaling_server()).toBe(false);
    expect(await network.configure_signaling_server(relayUrl())).toBe(true);
    expect(network.is_connected_to_signaling_server()).toBe(true);
  }
  for (let step = 0; step < 60; step += 1) a.process_input('c', [1, 0, Math.sin(step), 0.5]);
  a.update_error_signal('c', 0.5);
  expect(a.get_cluster_state('c')).toMatchObject({ num_nodes: 6, steps: 60, last_error: 0.5 });

  expect(await a.start_peer_discovery()).toBe(true);
  expect(await b.send_heartbeat()).toBe(true);
  expect(JSON.parse(a.get_discovered_peers())).toMatchObject([
    { device_id: 'node-b', is_here: true, available_nodes: 6 },
  ]);
  expect(JSON.parse(a.find_free_nodes())).toMatchObject([{ device_id: 'node-b' }]);
  expect(JSON.parse(a.get_node_availability_stats())).toMatchObject({ free_nodes: 1, busy_nodes: 0 });
  expect(await b.handle_discovery_results('[]')).toBe(true);
  expect(await a.auto_connect_to_free_node()).toBe('node-b');
  expect(a.is_peer_connected_webrtc('node-b')).toBe(true);
  await until(() => b.is_peer_connected_webrtc('node-a'), 10_000);
  expect(await b.connect_to_peer('node-a')).toBe(true);
  expect(await b.initiate_webrtc_connection('node-a')).toBe(true);
  expect(JSON.parse(a.get_webrtc_stats())).toMatchObject({
    connections: [{ device_id: 'node-b', state: 'connected' }],
  });
  expect(await a.check_webrtc_connections()).toBe(true);

  expect(await a.send_direct_message('Hello P2P!')).toBe(true);
  expect(b.process_p2p_messages()).toBe(1);
  expect(heard).toEqual(['node-a: Hello P2P!']);
  expect(await a.share_memory_with_peer('node-b', 'c')).toBe(true);
  expect(JSON.parse(await b.semantic_memory_search([1], 'c', 5))).toMatchObject([{ summary: '60 steps of cluster c' }]);
  expect(a.propagate_error_to_peers('c', 10)).toBe(1);
  await until(() => b.get_cluster_state('c')?.last_error !== undefined, 10_000);
  const session = await a.start_collaborative_learning(['node-b'], 'pull');
  const states = (network: typeof a) => network.get_p2p_network_stats().learning_sessions.map(({ state }) => state);
  await until(() => [...states(a), ...states(b)].join() === 'done,done', 10_000);
  expect(b.get_p2p_network_stats()).toMatchObject({ learning_sessions: [{ session_id: session, rounds: 2 }] });

  expect(await a.request_node_from_peer('node-b', 'gating', 5)).toBe('lease of gating');
  expect(await a.request_node_borrowing('node-b', 'gating', 1)).toBe('lease of gating');
  expect(await a.complete_node_borrowing('lease of gating', '{}')).toBe(true);
  expect(await a.mine_block()).toMatch(/^[0-9a-f]{64}$/u);
  expect(await a.validate_blockchain()).toBe(true);
  expect(await a.get_blockchain_stats()).toMatchObject({ total_blocks: 1, total_entries: 4, pending_transactions: 0 });
  expect(await a.get_account_balance()).toBe(0);
  const [capsule] = JSON.parse(await a.semantic_memory_search([1])) as readonly { readonly capsule_id: string }[];
  expect(JSON.parse(await a.get_memory_record(capsule?.capsule_id ?? ''))).toMatchObject({ cluster_id: 'c', index: 0 });
  expect(JSON.parse(await a.get_memory_trends())).toMatchObject({ total: 1 });
  expect(await a.get_vector_database_stats()).toMatchObject({ total_vectors: 1, blockchain_verified_rate: 1 });
  expect(await a.consolidate_long_term_memory()).toBe(false);
  await a.step_simulation(1);
  expect(await a.close_webrtc_connection('node-b')).toBe(true);
  await until(() => !a.is_peer_connected_webrtc('node-b') && !b.is_peer_connected_webrtc('node-a'), 10_000);
  await Promise.all([freeA(), freeB()]);
  await expect(a.free()).resolves.toBeUndefined();

  const methods = Object.getOwnPropertyNames(DistributedNeuralNetwork.prototype).filter(
    (name) => name !== 'constructor',
  );
  expect([...called].toSorted()).toEqual(methods.toSorted());
}, 30_000);

test('a device id belongs to its first key, and a relay that is none is told so', async () => {
  const called = new Set<string>();
  const [first, second] = [await device('mine', called), await device('mine', called, {})];
  await first.network.configure_signaling_server(relayUrl());
  const refusal = second.network.configure_signaling_server(relayUrl());
  await expect(refusal).rejects.toMatchObject({ code: 'NAME_TAKEN' });
  await expect(second.network.configure_signaling_server('http://127.0.0.1')).rejects.toMatchObject({
    code: 'INVALID_FORMAT',
  });
  const nobody = second.network.configure_signaling_server('ws://127.0.0.1:9');
  await expect(nobody).rejects.toSatisfy((error) => PeerAiError.is(error, 'PEER_UNREACHABLE'));
  await Promise.all([first.free(), second.free()]);
}, 30_000);

/** A tab that has done the first three steps: the page, a cluster, the relay. */
async function openTab(): Promise<{ readonly tab: Page; readonly name: string }> {
  const tab = await (await browser.newContext()).newPage();
  await tab.goto(`${page.url}#relay=${relayUrl()}`);
  await tab.getByRole('button', { name: 'Create cluster' }).click();
  await tab.getByRole('button', { name: 'Connect', exact: true }).click();
  await tab.getByText('Connected.', { exact: true }).waitFor();
  return { tab, name: (await tab.locator('#device').textContent()) ?? '' };
}
const press = (tab: Page, name: string): Promise<void> => tab.getByRole('button', { name }).click();
const told = (tab: Page, text: string): Promise<void> => tab.getByRole('log').getByText(text).first().waitFor();
const capsulesOf = async (tab: Page): Promise<number> =>
  Number.parseInt((await tab.locator('#memory-state').textContent()) ?? '', 10);

test('two tabs do the six steps, and share again when the relay is gone', async () => {
  const [a, b] = [await openTab(), await openTab()];
  await press(a.tab, 'Find devices');
  await press(a.tab, `Connect to ${b.name}`);
  await told(a.tab, `Connected to ${b.name}.`);
  await press(a.tab, `Share memory with ${b.name}`);
  await told(a.tab, `Shared memory with ${b.name}.`);
  await told(b.tab, '1 thing came from other devices.');
  const before = await capsulesOf(b.tab);

  await testnet.relays[0]?.child.kill();
  for (const { tab } of [a, b]) await tab.getByText('Not connected.', { exact: true }).waitFor();
  await press(a.tab, `Share memory with ${b.name}`);
  await b.tab.waitForFunction(
    (count) => Number.parseInt(document.querySelector('#memory-state')?.textContent ?? '', 10) > count,
    before,
  );
  await press(a.tab, `Say hello to ${b.name}`);
  await told(b.tab, `${a.name}: hello from the other tab`);
  await press(b.tab, 'Verify the log');
  await told(b.tab, 'The log verifies.');

  const { violations } = await new AxeBuilder({ page: a.tab }).setLegacyMode().analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await a.tab.setViewportSize({ width: 390, height: 800 });
  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  expect(await a.tab.evaluate(overflow)).toBe(0);
}, 60_000);
