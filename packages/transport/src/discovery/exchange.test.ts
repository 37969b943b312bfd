import {
  createIdentity,
  limits as coreLimits,
  nobleCrypto,
  PeerAiError,
  type PeerId,
  signRecord,
  wire,
} from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom, settle } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { afterEach, describe, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, realRandom, until } from '../testing/index.ts';
import { createExchange, exchangeProtocol, readExchangeQuestion } from './exchange.ts';
import { createReachability, safeToDial } from './reachability.ts';
import { createRecordBook } from './record-book.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());

const onlyTcp = { transports: { tcp: true, websocket: false, webrtc: false, quic: false } };

/** A node that says where it is, as an agent does. */
async function announced(options: { readonly bootstrap: readonly string[] }, peerExchange = true) {
  const seed = realRandom.bytes(32);
  const node = await nodes.agent({ ...onlyTcp, ...options, peerExchange }, { seed });
  const record = signRecord(createIdentity(nobleCrypto, seed), {
    addresses: node.network.addresses(),
    name: '',
    sequence: 1,
    expiresMs: Date.now() + 60_000,
    models: ['mistral'],
    agent: 'peerai/test',
  });
  await node.directory.announce(record);
  return node;
}

const linkedTo = (node: TransportNode, count: number): Promise<true> =>
  until(() => node.stats().connections >= count, 20_000);

describe('an agent that knows one bootstrap address', () => {
  test('finds two others through it, though other bootstrap addresses are dead', { timeout: 30_000 }, async () => {
    const first = await announced({ bootstrap: [] });
    const bootstrap = first.network.addresses().slice(0, 1);
    await announced({ bootstrap });
    await announced({ bootstrap });
    await linkedTo(first, 2);
    const dead = `/ip4/127.0.0.1/tcp/9/p2p/${createIdentity(nobleCrypto, realRandom.bytes(32)).peer}`;
    const late = await nodes.agent({ ...onlyTcp, bootstrap: [dead, ...bootstrap], peerExchange: true });
    await linkedTo(late, 3);
  });

  test('finds nobody where peer exchange is off', { timeout: 30_000 }, async () => {
    const first = await announced({ bootstrap: [] });
    const bootstrap = first.network.addresses().slice(0, 1);
    await announced({ bootstrap });
    await linkedTo(first, 1);
    const late = await nodes.agent({ ...onlyTcp, bootstrap });
    await linkedTo(late, 1);
    const asker = await nodes.agent({ ...onlyTcp, bootstrap, peerExchange: true });
    await linkedTo(asker, 2);
    expect(late.stats().connections).toBe(1);
    const question = late.network.open(first.network.self, exchangeProtocol, { signal: AbortSignal.timeout(5_000) });
    await expect(question.then((channel) => channel.close())).resolves.toBeUndefined();
    const refused = first.network.open(late.network.self, exchangeProtocol, { signal: AbortSignal.timeout(5_000) });
    await expect(refused).rejects.toMatchObject({ code: 'REFUSED' });
  });
});

const clock = new ManualClock();
const random = seededRandom(5);

function strange(addresses: readonly string[] = ['/ip4/127.0.0.1/tcp/9']): { peer: PeerId; bytes: Uint8Array } {
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const body = { addresses, name: '', sequence: 1, expiresMs: clock.nowMs() + 3_600_000, models: [], agent: '' };
  return { peer: identity.peer, bytes: signRecord(identity, body) };
}

/** One peer in memory that passes on what it knows, and its neighbours. */
function world() {
  const networks = createMemoryNetworks({ clock, random });
  const make = () => {
    const self = strange().peer;
    const book = createRecordBook({ crypto: nobleCrypto, self, nowMs: () => clock.nowMs() });
    const network = networks.join(self);
    const reachability = createReachability(clock);
    const links = new Map<PeerId, string>();
    const opened: PeerId[] = [];
    const exchange = createExchange({
      network: {
        ...network,
        self,
        open: (peer, ...rest) => {
          opened.push(peer);
          return network.open(peer, ...rest);
        },
        answer: (...all) => network.answer(...all),
      },
      clock,
      random,
      known: () => book.all(),
      learn: (bytes, source) => book.put(bytes, source) !== undefined,
      reachability,
      links: () => links,
    });
    return { self, book, exchange, reachability, links, opened, network };
  };
  return { make };
}

const never = new AbortController().signal;
async function asked(asker: ReturnType<ReturnType<typeof world>['make']>, peer: PeerId): Promise<number> {
  let count = 0;
  await clock.until(asker.exchange.ask(peer, never, [], () => (count += 1)));
  return count;
}

describe('one answer', () => {
  test('holds as many records as one may, and not one more', async () => {
    const { make } = world();
    const [server, asker] = [make(), make()];
    server.exchange.serve(never);
    for (let count = 0; count < limits.recordsPerExchangeMax; count += 1) server.book.put(strange().bytes, asker.self);
    expect(await asked(asker, server.self)).toBe(limits.recordsPerExchangeMax);
    server.book.put(strange().bytes, asker.self);
    expect(await asked(asker, server.self)).toBe(limits.recordsPerExchangeMax);
    expect(asker.book.size).toBeLessThanOrEqual(limits.recordsPerExchangeMax + 1);
  });

  test('of a peer that sends more, no more is read', async () => {
    const { make } = world();
    const [flood, asker] = [make(), make()];
    flood.network.answer(exchangeProtocol, async (channel) => {
      for (let count = 0; count <= limits.recordsPerExchangeMax; count += 1) await channel.send(strange().bytes);
    });
    expect(await asked(asker, flood.self)).toBe(limits.recordsPerExchangeMax);
  });

  test('leaves out the asker, and whoever was not there when it was tried', async () => {
    const { make } = world();
    const [server, asker] = [make(), make()];
    server.exchange.serve(never);
    const [here, gone] = [strange(), strange()];
    for (const one of [here, gone]) server.book.put(one.bytes, asker.self);
    await expect(asked(server, gone.peer)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    expect(await asked(asker, server.self)).toBe(1);
    expect(asker.book.all().map(({ record }) => record.peer)).toEqual([here.peer]);
    await clock.advance(limits.awayMs);
    expect(await asked(asker, server.self)).toBe(2);
  });

  test('is given to one peer as often as it may ask in a minute, and not once more', async () => {
    const { make } = world();
    const [server, asker] = [make(), make()];
    server.exchange.serve(never);
    server.book.put(strange().bytes, asker.self);
    const answers: number[] = [];
    for (let count = 0; count <= limits.exchangeAnswersMax; count += 1) answers.push(await asked(asker, server.self));
    expect(answers).toEqual([...Array<number>(limits.exchangeAnswersMax).fill(1), 0]);
    await clock.advance(limits.recordsWindowMs);
    expect(await asked(asker, server.self)).toBe(1);
  });

  test('that was forged is dropped', async () => {
    const { make } = world();
    const [liar, asker] = [make(), make()];
    const good = strange();
    const forged = strange().bytes.map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte));
    liar.network.answer(exchangeProtocol, async (channel) => {
      await channel.send(forged);
      await channel.send(good.bytes);
    });
    expect(await asked(asker, liar.self)).toBe(2);
    expect(asker.book.all().map(({ record }) => record.peer)).toEqual([good.peer]);
  });
});

describe('who was heard of', () => {
  test('is tried while there are few links: so many in a minute, and each once', async () => {
    const { make } = world();
    const asker = make();
    for (let count = 0; count <= limits.exchangeDialsMax; count += 1)
      asker.book.put(strange(['/ip4/203.1.113.5/tcp/1']).bytes, strange().peer);
    const stopping = new AbortController();
    asker.exchange.run(stopping.signal);
    for (let step = 0; step < limits.exchangeDialsMax; step += 1) await clock.advance(limits.exchangeLookMs);
    expect(asker.opened).toHaveLength(limits.exchangeDialsMax);
    expect(new Set(asker.opened).size).toBe(limits.exchangeDialsMax);
    await clock.advance(limits.recordsWindowMs);
    expect(new Set(asker.opened).size).toBe(limits.exchangeDialsMax + 1);
    stopping.abort();
    await settle();
  });

  test.each([
    [limits.exchangeLinksWanted - 1, 1],
    [limits.exchangeLinksWanted, 0],
  ])('is tried or not: %i links, %i dials', async (linkCount, dialled) => {
    const { make } = world();
    const asker = make();
    const { peer, bytes } = strange(['/ip4/203.1.113.5/tcp/1']);
    asker.book.put(bytes, strange().peer);
    for (let count = 0; count < linkCount; count += 1) asker.links.set(strange().peer, '/ip4/203.1.113.9/tcp/1');
    const stopping = new AbortController();
    asker.exchange.run(stopping.signal);
    for (let step = 0; step < 10; step += 1) await clock.advance(limits.exchangeLookMs);
    expect(asker.opened.filter((one) => one === peer)).toHaveLength(dialled);
    stopping.abort();
    await settle();
  });
});

describe('what a stranger tells', () => {
  const outside = '/ip4/203.1.113.9/tcp/4001';
  const inside = '/ip4/192.168.1.9/tcp/4001';
  test.each([
    ['an outer address', [outside], outside, true],
    ['an address of our house, told from outside', [inside], outside, false],
    ['one of both', [outside, inside], outside, false],
    ['an address of our house, told from inside', [inside], inside, true],
    ['a relay outside', [`${outside}/p2p/X/p2p-circuit`], outside, true],
    ['a relay in our house', [`${inside}/p2p/X/p2p-circuit`], outside, false],
    ['a name', ['/dns4/example.org/tcp/1'], undefined, true],
    ['this machine, told by who has gone', ['/ip4/127.0.0.1/tcp/1'], undefined, false],
    ['no address', [], inside, false],
    ['what is no address', ['/ip4/999.1.1.1/tcp/1'], outside, false],
  ])('%s', (_name, addresses, via, isSafe) => {
    expect(safeToDial(addresses, via)).toBe(isSafe);
  });

  test('as many peers as were not there are remembered as may be, and not one more', () => {
    const reachability = createReachability(clock);
    const peers = Array.from({ length: limits.awayPeersMax + 1 }, (_, index) => `peer-${index}` as PeerId);
    for (const peer of peers.slice(0, -1)) reachability.note(peer, false);
    expect([reachability.size, reachability.isAway(peers[0] ?? ('' as PeerId))]).toEqual([limits.awayPeersMax, true]);
    reachability.note(peers.at(-1) ?? ('' as PeerId), false);
    expect([reachability.size, reachability.isAway(peers[0] ?? ('' as PeerId))]).toEqual([limits.awayPeersMax, false]);
  });
});

test('ten thousand mutated questions throw nothing but what they may, and none takes long', () => {
  const good = wire.message({ count: wire.uint32(1) }).encode({ count: 16 });
  const read = (bytes: Uint8Array) => (): void => {
    try {
      readExchangeQuestion(bytes);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  };
  let slowestMs = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const bytes = Uint8Array.from([...good, ...random.bytes(round % 24)]);
    const at = random.bytes(2);
    bytes[(at[0] ?? 0) % bytes.length] = at[1] ?? 0;
    slowestMs = Math.max(slowestMs, workMs(read(bytes), 50, 2));
  }
  expect(slowestMs).toBeLessThan(50);
  expect(coreLimits.recordBytesMax).toBe(exchangeProtocol.messageBytesMax);
});
