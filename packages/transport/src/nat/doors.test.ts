import { tcp } from '@libp2p/tcp';
import { workMs } from '@peerai/config/thread-time';
import type { CheckedAddress, PeerId, Protocol } from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, mutated, seededRandom, settle } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { assembleNode } from '../libp2p/assemble.ts';
import type { Components } from '../libp2p/components.ts';
import type { TransportNode } from '../libp2p/options.ts';
import { limits as transportLimits } from '../limits.ts';
import { createTestNodes, realClock, testDeps, until } from '../testing/index.ts';
import { answerDoors, hostToDial } from './dial-back.ts';
import { createDoorBook, type DoorBookDeps } from './door-book.ts';
import { doorAddress, doorOf, doorsAnswer, doorsProtocol, doorsQuestion } from './doors.ts';
import { limits } from './limits.ts';

const nodes = createTestNodes();
const own: TransportNode[] = [];
const stopping = new AbortController();
afterEach(async () => {
  await Promise.all(own.splice(0).map((node) => node.stop()));
  await nodes.stopAll();
});
const { logger } = testDeps();
const hello: Protocol = { ...doorsProtocol, id: '/test/hello/1' };

/** A node that dials back as a relay does, at this machine's loopback too. */
async function answering(hostOf: typeof hostToDial = () => '127.0.0.1'): Promise<TransportNode> {
  let components: Components | undefined;
  const node = await assembleNode(testDeps(), {
    listen: ['/ip4/127.0.0.1/tcp/0'],
    transports: [tcp()],
    services: { spy: (inner: Components): object => ((components = inner), {}) },
    relays: [],
    bootstrap: [],
    maxConnections: transportLimits.connectionsMax,
    connectionTimeoutMs: transportLimits.connectionTimeoutMs,
    directOnly: false,
    webrtc: false,
  });
  own.push(node);
  await node.start();
  if (components === undefined) throw new Error('libp2p made no services');
  answerDoors({ components, network: node.network, clock: realClock }, stopping.signal, hostOf);
  node.network.answer(hello, async () => undefined);
  return node;
}

/** What a door book of this node comes to know once it is linked to the other. */
async function checkedBy(
  relay: TransportNode,
  node: TransportNode,
  listened: readonly string[],
): Promise<() => readonly CheckedAddress[]> {
  const isRelay = (peer: PeerId): boolean => peer === relay.network.self;
  const book = createDoorBook({ network: node.network, clock: realClock, logger, isRelay, listened: () => listened });
  void book.run(stopping.signal);
  const options = { signal: AbortSignal.timeout(10_000), addresses: relay.network.addresses() };
  await (await node.network.open(relay.network.self, hello, options)).close();
  return () => book.checked();
}

test('a relay tells which doors it could dial, and at which address', async () => {
  const [relay, node] = [await answering(), await nodes.agent()];
  const open = node.network.addresses()[0] ?? '';
  const shut = '/ip4/10.9.9.9/tcp/1';
  const checked = await checkedBy(relay, node, [open, shut, '/ip4/127.0.0.1/udp/4001/quic-v1']);
  const found = await until(() => (checked().length > 0 ? checked() : undefined), 15_000);
  // The host that was said is nobody's business: both were dialled where the relay sees us, and QUIC it does not speak.
  const by = relay.network.self;
  expect(found).toMatchObject([
    { address: open.split('/p2p/')[0], state: 'reachable', by },
    { address: '/ip4/127.0.0.1/tcp/1', state: 'unreachable', by },
  ]);
  expect(found).toHaveLength(2);
});

test('a relay that a group has named is asked too, and its word goes when it is named no more', async () => {
  const [relay, node] = [await answering(), await nodes.agent()];
  const checked = () => node.paths?.checked?.() ?? [];
  expect(checked()).toEqual([]);
  const [address = ''] = relay.network.addresses();
  node.useRelays?.([address]);
  const found = await until(() => (checked().length > 0 ? checked() : undefined), 15_000);
  expect(found).toMatchObject([{ state: 'reachable', by: relay.network.self }]);
  node.useRelays?.([]);
  expect(checked()).toEqual([]);
});

test('a door that another peer opens is not ours', async () => {
  const [relay, node, other] = [await answering(), await nodes.agent(), await nodes.agent()];
  const checked = await checkedBy(relay, node, other.network.addresses());
  const found = await until(() => (checked().length > 0 ? checked() : undefined), 15_000);
  expect(found).toMatchObject([{ state: 'unreachable' }]);
});

test('where the asker may not be dialled nothing is tried, and nothing is known', async () => {
  const [relay, node] = [await answering(hostToDial), await nodes.agent()];
  const doors = [{ kind: 'tcp', port: 80 }] as const;
  const asked = await question(node, relay.network.self, doors, relay.network.addresses());
  expect(asked).toEqual({ host: '', states: ['untried'] });
});

async function question(
  node: Pick<TransportNode, 'network'>,
  relay: PeerId,
  doors: Parameters<typeof doorsQuestion.encode>[0]['doors'],
  addresses: readonly string[] = [],
) {
  const signal = AbortSignal.timeout(10_000);
  const channel = await node.network.open(relay, doorsProtocol, { signal, addresses });
  await channel.send(doorsQuestion.encode({ doors }));
  for await (const message of channel) return doorsAnswer.decode(message);
  throw new Error('no answer');
}

/** Somebody who dials back on the network in memory; `dial` stands for libp2p's. */
function answeringInMemory(dial: () => Promise<never>) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const relay = networks.join('relay' as PeerId);
  const transportManager = { dialTransportForMultiaddr: () => ({}), dial };
  const components = { transportManager } as unknown as Components;
  answerDoors({ components, network: relay, clock }, stopping.signal, () => '198.51.100.7');
  const ask = (peer: string): Promise<{ readonly host: string }> => {
    const network = networks.join(peer as PeerId);
    return question({ network }, relay.self, [{ kind: 'tcp', port: 1 }]);
  };
  return { clock, ask };
}

test(`a peer is answered ${limits.answersMax} times a minute, and not once more`, async () => {
  const { ask } = answeringInMemory(() => Promise.reject(new Error('ECONNREFUSED')));
  const hosts: string[] = [];
  for (let count = 0; count <= limits.answersMax; count += 1) hosts.push((await ask('one')).host);
  expect(hosts).toEqual([...Array.from({ length: limits.answersMax }, () => '198.51.100.7'), '']);
  expect((await ask('another')).host).toBe('198.51.100.7');
});

test(`${limits.peersAtOnceMax} peers are tried at the same time; the next is told that nothing was`, async () => {
  let dials = 0;
  const { ask, clock } = answeringInMemory(() => {
    dials += 1;
    return new Promise(() => undefined);
  });
  const asked = Array.from({ length: limits.peersAtOnceMax }, (_, index) => ask(`peer-${index}`));
  await settle();
  expect(dials).toBe(limits.peersAtOnceMax);
  expect(await ask('one too many')).toEqual({ host: '', states: ['untried'] });
  // A dial that never ends is given up.
  expect(new Set((await clock.until(Promise.all(asked))).map(({ host }) => host))).toEqual(new Set(['198.51.100.7']));
  expect((await clock.until(ask('later'))).host).toBe('198.51.100.7');
});

test.each([
  ['tcp', 'direct', '/ip4/198.51.100.7/tcp/61000', '198.51.100.7'],
  ['ws', 'direct', '/ip4/8.8.8.8/tcp/61000/ws', '8.8.8.8'],
  ['ws', 'direct', '/ip4/172.18.0.2/tcp/61000/ws', undefined],
  ['tcp', 'direct', '/ip4/10.0.0.7/tcp/61000', '10.0.0.7'],
  ['tcp', 'direct', '/ip6/2a00::7/tcp/61000', '2a00::7'],
  ['tcp', 'direct', '/ip4/127.0.0.1/tcp/61000', undefined],
  ['tcp', 'direct', '/ip6/::1/tcp/61000', undefined],
  ['tcp', 'direct', '/dns4/a.example/tcp/61000', undefined],
  ['relay', 'relayed', '/ip4/198.51.100.7/tcp/1/p2p/12D3/p2p-circuit', undefined],
] as const)('who comes over %s (%s) from %s is dialled at %s', (transport, path, address, host) => {
  expect(hostToDial({ transport, path, address })).toBe(host);
});

test('doors are read from addresses with a number and a plain way, and nothing else', () => {
  const doors = [
    '/ip4/0.0.0.0/tcp/4001',
    '/ip4/10.0.0.1/tcp/4002/ws/p2p/12D3KooW',
    '/ip6/::/udp/4001/quic-v1',
    '/ip4/1.2.3.4/tcp/65535',
    '/ip4/1.2.3.4/tcp/65536',
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/udp/1',
    '/ip4/1.2.3.4/udp/1/ws',
    '/dns4/a.example/tcp/443/wss',
    '/ip4/1.2.3.4/tcp/1/p2p/12D3/p2p-circuit',
  ].map(doorOf);
  expect(doors.slice(0, 4)).toEqual([
    { kind: 'tcp', port: 4_001 },
    { kind: 'ws', port: 4_002 },
    { kind: 'quic', port: 4_001 },
    { kind: 'tcp', port: 65_535 },
  ]);
  expect(doors.slice(4).filter((door) => door !== undefined)).toEqual([]);
  expect(doorAddress('2a00::7', { kind: 'quic', port: 1 })).toBe('/ip6/2a00::7/udp/1/quic-v1');
});

/** A door book on the network in memory, and a relay that says what the test wants. */
function bookOverMemory(more: Partial<DoorBookDeps> = {}) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const [self, relay] = ['self', 'relay'].map((name) => networks.join(name as PeerId));
  if (self === undefined || relay === undefined) throw new Error('two were asked for');
  const questions: number[] = [];
  let host = '198.51.100.7';
  relay.answer(hello, async () => undefined);
  relay.answer(doorsProtocol, async (channel) => {
    for await (const message of channel) {
      const { doors } = doorsQuestion.decode(message);
      questions.push(doors.length);
      await channel.send(doorsAnswer.encode({ host, states: doors.map(() => 'reachable' as const) }));
      return;
    }
  });
  const listened = (): readonly string[] => ['/ip4/0.0.0.0/tcp/4001'];
  const isRelay = (peer: PeerId): boolean => peer === relay.self;
  const book = createDoorBook({ network: self, clock, logger, isRelay, listened, ...more });
  const signal = new AbortController().signal;
  void book.run(signal);
  const link = async (): Promise<void> => {
    await clock.until(self.open(relay.self, hello, { signal }));
    await settle();
  };
  return { clock, networks, self, relay, book, questions, link, say: (next: string) => void (host = next) };
}

test('a host that is no address is not believed', async () => {
  const { book, link, say, questions } = bookOverMemory();
  say('evil/p2p-circuit');
  await link();
  expect([questions.length, book.checked()]).toEqual([1, []]);
});

test(`no more than ${limits.doorsMax} doors are asked about, each once`, async () => {
  const all = Array.from({ length: limits.doorsMax + 1 }, (_, index) => `/ip4/1.2.3.4/tcp/${index + 1}`);
  const { book, link, questions } = bookOverMemory({ listened: () => ['/ip4/5.6.7.8/tcp/1', ...all] });
  await link();
  expect([questions, book.checked().length]).toEqual([[limits.doorsMax], limits.doorsMax]);
});

test('who is no relay of ours is not asked', async () => {
  const { link, questions } = bookOverMemory({ isRelay: () => false });
  await link();
  expect(questions).toEqual([]);
});

test('what one said that is our relay no more does not count, and it is asked again when it is named again', async () => {
  let isNamed = false;
  const { book, link, questions, relay, clock, networks, self } = bookOverMemory({ isRelay: () => isNamed });
  const cutAndLink = async (): Promise<void> => {
    networks.cut(self.self, relay.self);
    networks.heal(self.self, relay.self);
    await clock.advance(1_000);
    await link();
  };
  await link();
  isNamed = true;
  await cutAndLink();
  expect([questions.length, book.checked().length]).toEqual([1, 1]);
  isNamed = false;
  expect(book.checked()).toEqual([]);
  isNamed = true;
  expect(book.checked()).toEqual([]);
  await cutAndLink();
  expect([questions.length, book.checked().length]).toEqual([2, 1]);
});

test('10,000 mutated questions and answers end in their value or our error, none over 50 ms', () => {
  const random = seededRandom(4_001);
  const question = doorsQuestion.encode({
    doors: [
      { kind: 'tcp', port: 4_001 },
      { kind: 'quic', port: 4_001 },
    ],
  });
  const answer = doorsAnswer.encode({ host: '198.51.100.7', states: ['reachable', 'untried'] });
  let refused = 0;
  let slowestMs = 0;
  for (let count = 0; count < 10_000; count += 1) {
    const [codec, valid] = count % 2 === 0 ? ([doorsQuestion, question] as const) : ([doorsAnswer, answer] as const);
    const bytes = mutated(valid, random);
    const work = (): void => {
      try {
        codec.decode(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_FORMAT' });
        refused += 1;
      }
    };
    slowestMs = Math.max(slowestMs, workMs(work, 50));
  }
  expect(refused).toBeGreaterThan(1_000);
  expect(slowestMs).toBeLessThan(50);
});
