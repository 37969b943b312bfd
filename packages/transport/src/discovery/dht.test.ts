import { tcp } from '@libp2p/tcp';
import { createIdentity, nobleCrypto, openRecord, type PeerRecord, signRecord } from '@peerai/core-protocol';
import { afterEach, expect, test } from 'vitest';
import { assembleNode } from '../libp2p/assemble.ts';
import { createBrowserNode } from '../libp2p/browser.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, realRandom, relayAddress, testDeps } from '../testing/index.ts';
import type { FarDirectory } from './far.ts';
import { dhtPart } from './kad.ts';

const nodes = createTestNodes();
const own: TransportNode[] = [];
afterEach(async () => {
  await Promise.all(own.splice(0).map((node) => node.stop()));
  await nodes.stopAll();
});

interface Made {
  readonly node: TransportNode;
  readonly far: FarDirectory;
  readonly seed: Uint8Array;
}

/** A node in the DHT whose part in it can be used alone: what is announced there reaches nobody by gossip. */
async function dhtNode(contacts: readonly string[]): Promise<Made> {
  let far: FarDirectory | undefined;
  const part = dhtPart('server');
  const seed = realRandom.bytes(32);
  const node = await assembleNode(testDeps({ seed }), {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    transports: [tcp()],
    dht: { ...part, directory: (deps) => (far = part.directory(deps)) },
    relays: [],
    bootstrap: contacts,
    maxConnections: limits.connectionsMax,
    connectionTimeoutMs: limits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
  });
  own.push(node);
  await node.start();
  if (far === undefined) throw new Error('the node has no DHT');
  return { node, far, seed };
}

/** A chain: each node knows the one before it and nobody else. */
async function chain(count: number): Promise<Made[]> {
  const made: Made[] = [];
  for (let index = 0; index < count; index += 1) {
    made.push(await dhtNode(made.at(-1)?.node.network.addresses().slice(0, 1) ?? []));
  }
  return made;
}

function announce({ far, seed }: Made, fields: Partial<PeerRecord>): Uint8Array {
  const bytes = recordOf(seed, fields);
  far.announce(bytes, openRecord(nobleCrypto, bytes, Date.now()));
  return bytes;
}

function recordOf(seed: Uint8Array, fields: Partial<PeerRecord>): Uint8Array {
  const body = {
    addresses: [],
    name: '',
    sequence: 1,
    expiresMs: Date.now() + 60_000,
    models: [],
    agent: 'peerai/test',
  };
  return signRecord(createIdentity(nobleCrypto, seed), { ...body, ...fields });
}

const spoilt = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));

/** The first answer, asked again until there is one. */
async function found(node: TransportNode, what: Parameters<TransportNode['directory']['find']>[0]) {
  const signal = AbortSignal.timeout(40_000);
  while (!signal.aborted) {
    for await (const one of node.directory.find(what, signal)) return one;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return undefined;
}

test('of twelve nodes that know one contact each, the last finds by model, by name and by peer what the first announced', async () => {
  const all = await chain(12);
  const [first, last] = [all[0], all[11]];
  if (first === undefined || last === undefined) throw new Error('twelve nodes');
  const mine = announce(first, { models: ['mistral'], name: 'attic', addresses: first.node.network.addresses() });
  expect(await found(last.node, 'model:mistral')).toEqual(mine);
  expect(await found(last.node, first.node.network.self)).toEqual(mine);
  expect(await found(all[5]?.node ?? last.node, 'node:attic')).toEqual(mine);
}, 120_000);

test('a tab that keeps nothing for others finds through the DHT too', async () => {
  const [first, second] = await chain(2);
  if (first === undefined || second === undefined) throw new Error('two nodes');
  const mine = announce(second, { models: ['phi'] });
  const relay = await nodes.relay({ dht: true });
  const contact = relayAddress(relay, 'ws');
  await nodes.agent({ dht: true, bootstrap: [relayAddress(relay), ...first.node.network.addresses()] });
  const tab = await createBrowserNode(testDeps(), { relays: [], bootstrap: [contact], dht: true });
  own.push(tab);
  await tab.start();
  expect(await found(tab, 'model:phi')).toEqual(mine);
}, 120_000);

test('a record that its peer did not sign, or that says nothing of what is looked for, is not found', async () => {
  const [first, second, third] = await chain(3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
  const bytes = recordOf(first.seed, { models: ['other'] });
  // It lists itself under a model that its record does not name.
  first.far.announce(bytes, { ...openRecord(nobleCrypto, bytes, Date.now()), models: ['mistral'] });
  const forged = recordOf(second.seed, { models: ['mistral'] });
  const real = openRecord(nobleCrypto, forged, Date.now());
  second.far.announce(spoilt(forged), real);
  expect(await found(third.node, first.node.network.self)).toEqual(bytes);
  const heard: Uint8Array[] = [];
  for await (const one of third.node.directory.find('model:mistral', AbortSignal.timeout(15_000))) heard.push(one);
  expect(heard).toEqual([]);
}, 120_000);
