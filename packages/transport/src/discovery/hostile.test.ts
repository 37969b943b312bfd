import { tcp } from '@libp2p/tcp';
import {
  type Clock,
  createIdentity,
  type Network,
  nobleCrypto,
  PeerAiError,
  type PeerId,
  signRecord,
  wire,
} from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom, settle } from '@peerai/core-protocol/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { assembleNode } from '../libp2p/assemble.ts';
import type { Components } from '../libp2p/components.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, realClock, realRandom, testDeps, until } from '../testing/index.ts';
import type { RunningTopics } from '../topics/topics.ts';
import { createDirectory, directoryProtocol, recordsTopic } from './directory.ts';
import { createIntake } from './intake.ts';
import { createRecordBook, type RecordBook } from './record-book.ts';

const nodes = createTestNodes();
const own: TransportNode[] = [];
afterEach(async () => {
  await Promise.all(own.splice(0).map((node) => node.stop()));
  await nodes.stopAll();
});

const question = wire.message({ what: wire.string(1), own: wire.optional(wire.bytes(2)) });

/** A record of a peer that nobody has met. */
function strange(clock: Clock, seed = realRandom.bytes(32), sequence = 1): { peer: PeerId; bytes: Uint8Array } {
  const identity = createIdentity(nobleCrypto, seed);
  const addresses = ['/ip4/127.0.0.1/tcp/9'];
  const expiresMs = clock.nowMs() + 60_000;
  const body = { addresses, name: 'strange', sequence, expiresMs, models: ['m'], agent: '' };
  return { peer: identity.peer, bytes: signRecord(identity, body) };
}

/** A node whose libp2p parts the test can look into. */
async function openNode(bounds: object): Promise<{ node: TransportNode; components: Components }> {
  let components: Components | undefined;
  const spy = (inner: Components): object => ((components = inner), {});
  const node = await assembleNode(testDeps({ bounds }), {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    transports: [tcp()],
    services: { spy },
    relays: [],
    bootstrap: [],
    maxConnections: limits.connectionsMax,
    connectionTimeoutMs: limits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
  });
  own.push(node);
  await node.start();
  if (components === undefined) throw new Error('libp2p made no services');
  return { node, components };
}

async function found(node: TransportNode, what: Parameters<TransportNode['directory']['find']>[0]): Promise<number> {
  let count = 0;
  for await (const one of node.directory.find(what, AbortSignal.timeout(5_000))) count += one.length > 0 ? 1 : 0;
  return count;
}

/** Tells until the node knows the peer. Throws when it never does. */
async function heardOf(node: TransportNode, tell: () => Promise<PeerId>): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const peer = await tell();
    await new Promise((resolve) => setTimeout(resolve, 100));
    if ((await found(node, peer)) > 0) return;
  }
  throw new Error('the record did not arrive within 5 s');
}

/** A stranger with a link to the node, whose gossip reaches it. */
async function attackerOf(node: TransportNode): Promise<TransportNode> {
  const attacker = await nodes.agent({
    transports: { tcp: true, websocket: false, webrtc: false },
    bootstrap: [node.network.addresses()[0] ?? ''],
  });
  // From the first record that arrives on, all do.
  await heardOf(node, async () => {
    const first = strange(realClock);
    await attacker.topics.publish(recordsTopic, first.bytes);
    return first.peer;
  });
  return attacker;
}

test('three times as many hostile records as the book holds grow neither the book nor the peer store', async () => {
  const recordsMax = 8;
  const { node, components } = await openNode({ recordsMax, recordsPerSourceMax: recordsMax });
  const attacker = await attackerOf(node);
  for (let count = 1; count < 3 * recordsMax; count += 1) {
    await attacker.topics.publish(recordsTopic, strange(realClock).bytes);
  }
  const last = strange(realClock);
  await attacker.topics.publish(recordsTopic, last.bytes);
  await heardOf(node, async () => last.peer);
  expect(await found(node, 'node:strange')).toBe(recordsMax);
  expect((await components.peerStore.all()).map((peer) => peer.id.toString())).toEqual([attacker.network.self]);
}, 20_000);

test('a neighbour that gossips more new records than its share is not heard any more, and others are', async () => {
  const recordsTakenMax = 60;
  const { node } = await openNode({ recordsTakenMax });
  const [attacker, friend] = [await attackerOf(node), await attackerOf(node)];
  for (let count = 0; count <= recordsTakenMax; count += 1) {
    await attacker.topics.publish(recordsTopic, strange(realClock).bytes);
  }
  const [late, other] = [strange(realClock), strange(realClock)];
  await attacker.topics.publish(recordsTopic, late.bytes);
  await friend.topics.publish(recordsTopic, other.bytes);
  await heardOf(node, async () => other.peer);
  expect(await found(node, late.peer)).toBe(0);
}, 20_000);

test('strangers that come and go leave no more peers behind than the bound', async () => {
  const { node, components } = await openNode({ idlePeersMax: 2 });
  const options = { transports: { tcp: true, websocket: false, webrtc: false } };
  for (let count = 1; count <= 5; count += 1) {
    const stranger = await nodes.agent({ ...options, bootstrap: [node.network.addresses()[0] ?? ''] });
    await until(() => node.stats().connections === 1);
    await stranger.stop();
    await until(() => node.stats().connections === 0);
    const stored = async (): Promise<number> => (await components.peerStore.all()).length;
    await vi.waitFor(async () => expect(await stored()).toBe(Math.min(count, 2)), 4_000);
  }
}, 20_000);

interface Told {
  readonly clock: ManualClock;
  readonly stranger: Network;
  readonly self: PeerId;
  readonly book: RecordBook;
  readonly identity: { readonly seed: Uint8Array };
}

/** Gossip among nobody. */
const silent: RunningTopics = {
  publish: async () => undefined,
  subscribers: () => [],
  async *subscribe() {},
};

/** A directory in memory and a stranger who may open its protocol. */
function directoryInMemory(takenMax?: number): Told {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const networks = createMemoryNetworks({ clock, random });
  const seed = random.bytes(32);
  const self = strange(clock, random.bytes(32)).peer;
  const book = createRecordBook({ crypto: nobleCrypto, self, nowMs: () => clock.nowMs() });
  const network = networks.join(self);
  const intake = createIntake(clock, takenMax);
  createDirectory({ network, topics: silent, clock, book, intake, connected: () => [] }).run(
    new AbortController().signal,
  );
  return { clock, stranger: networks.join(strange(clock, seed).peer), self, book, identity: { seed } };
}

test('a channel to the directory on which nothing is asked ends at its deadline, not before', async () => {
  const { clock, stranger, self } = directoryInMemory();
  const channel = await clock.until(stranger.open(self, directoryProtocol, { signal: new AbortController().signal }));
  await clock.advance(limits.directoryAnswerMs - 1);
  expect(channel.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(channel.signal.aborted).toBe(true);
  expect(PeerAiError.is(channel.signal.reason, 'CHANNEL_CLOSED')).toBe(true);
  expect(clock.pending).toBe(0);
});

test('an asker brings its own record and nobody else its record, and only while its share lasts', async () => {
  const { clock, stranger, self, book, identity } = directoryInMemory(2);
  const bring = async (bytes: Uint8Array): Promise<void> => {
    const signal = new AbortController().signal;
    const channel = await clock.until(stranger.open(self, directoryProtocol, { signal }));
    await channel.send(question.encode({ what: '', own: bytes }));
    await settle();
    await clock.until(channel.close());
    await settle();
  };
  await bring(strange(clock).bytes);
  expect(book.size).toBe(0);
  const mine = strange(clock, identity.seed).bytes;
  await bring(mine);
  expect(book.holds(mine)).toBe(true);
  // Known bytes cost nothing; new ones are over the share of two by now.
  await bring(mine);
  const newer = strange(clock, identity.seed, 2).bytes;
  await bring(newer);
  expect([book.holds(newer), book.holds(mine)]).toEqual([false, true]);
});
