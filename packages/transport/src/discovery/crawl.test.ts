import {
  createIdentity,
  nobleCrypto,
  type CrawledPeer,
  PeerAiError,
  type PeerId,
  signRecord,
} from '@peerai/core-protocol';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { limits } from '../limits.ts';
import { createTestNodes, realRandom, relayAddress, until } from '../testing/index.ts';
import { createCrawler, type NamedPeer } from './crawl.ts';
import { createRecordBook } from './record-book.ts';

const nodes = createTestNodes();
afterEach(() => nodes.stopAll());
const never = new AbortController().signal;

async function all(peers: AsyncIterable<CrawledPeer>): Promise<CrawledPeer[]> {
  const list: CrawledPeer[] = [];
  for await (const one of peers) list.push(one);
  return list;
}

const onlyTcp = { transports: { tcp: true, websocket: false, webrtc: false, quic: false } };

test('a walk lists who is there and who is not, with their versions', { timeout: 60_000 }, async () => {
  // A relay passes on what it knows and tries nobody, so that it still tells of one that has just gone.
  const relay = await nodes.relay();
  const bootstrap = [relayAddress(relay)];
  const announced = async (agent: string) => {
    const seed = realRandom.bytes(32);
    const node = await nodes.agent({ ...onlyTcp, bootstrap }, { seed });
    const told = { addresses: node.network.addresses(), name: '', sequence: 1, models: [], agent };
    const record = signRecord(createIdentity(nobleCrypto, seed), { ...told, expiresMs: Date.now() + 60_000 });
    await node.directory.announce(record);
    await vi.waitFor(async () => expect(await isKnown(relay, node.network.self)).toBe(true), 20_000);
    return node;
  };
  const [here, gone] = [await announced('peerai/1.1'), await announced('peerai/1.2')];
  await gone.stop();
  const walker = await nodes.agent({ ...onlyTcp, bootstrap });
  await until(() => walker.stats().connections === 1, 20_000);
  const { crawler } = walker;
  if (crawler === undefined) throw new Error('an agent can walk');
  const found = await all(crawler.crawl(AbortSignal.timeout(40_000)));
  expect(new Set(found.map(({ peer, agent, state }) => [peer, agent, state] as const))).toEqual(
    new Set([
      [relay.network.self, '', 'reachable'],
      [here.network.self, 'peerai/1.1', 'reachable'],
      [gone.network.self, 'peerai/1.2', 'unreachable'],
    ]),
  );
  // What was dialled for the walk alone is let go again.
  await until(() => walker.stats().connections === 1, 20_000);
});

async function isKnown(node: TransportNode, peer: PeerId): Promise<boolean> {
  for await (const bytes of node.directory.find(peer, AbortSignal.timeout(5_000))) return bytes.length > 0;
  return false;
}

const clock = new ManualClock();
const random = seededRandom(9);

function strange(addresses: readonly string[] = ['/ip4/203.1.113.5/tcp/1']): { peer: PeerId; bytes: Uint8Array } {
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const body = { addresses, name: '', sequence: 1, expiresMs: clock.nowMs() + 3_600_000, models: [], agent: '' };
  return { peer: identity.peer, bytes: signRecord(identity, body) };
}

interface Asked {
  readonly tried: PeerId[];
  /** Of questions that are open at the same time. */
  most: number;
}

/** A walker in memory, whose questions are answered by `ask`. */
function walker(ask: (peer: PeerId) => Promise<void>, named?: NamedPeer[]) {
  const self = strange().peer;
  const book = createRecordBook({ crypto: nobleCrypto, self, nowMs: () => clock.nowMs() });
  const asked: Asked = { tried: [], most: 0 };
  let open = 0;
  const crawler = createCrawler({
    network: createMemoryNetworks({ clock, random }).join(self),
    clock,
    known: () => book.all(),
    links: () => new Map(),
    exchange: {
      async ask(peer) {
        asked.tried.push(peer);
        open += 1;
        asked.most = Math.max(asked.most, open);
        await ask(peer).finally(() => (open -= 1));
      },
    },
    ...(named === undefined ? {} : { named: async (found) => named.forEach(found) }),
  });
  return { self, book, asked, crawler };
}

describe('a walk', () => {
  test('tries as many peers as it may, so many at once, and not one more', async () => {
    const { crawler, book, asked } = walker(() => clock.sleep(1));
    for (let count = 0; count <= limits.crawlPeersMax; count += 1) book.put(strange().bytes, strange().peer);
    const found = await clock.until(all(crawler.crawl(never)));
    expect(found).toHaveLength(limits.crawlPeersMax);
    expect(new Set(asked.tried).size).toBe(limits.crawlPeersMax);
    expect(asked.most).toBe(limits.crawlAtOnce);
  });

  test('ends after its time, though the peer it asks never answers', async () => {
    const { crawler, book } = walker(() => new Promise(() => undefined));
    book.put(strange().bytes, strange().peer);
    let ended = false;
    const walk = all(crawler.crawl(never)).then(() => (ended = true));
    await clock.advance(limits.crawlMs - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    await walk;
    expect(ended).toBe(true);
  });

  test('goes on to whom a peer tells of, and lists each once', async () => {
    const [next, last] = [strange(), strange()];
    const { crawler, book, self } = walker(async (peer) => {
      book.put(peer === next.peer ? last.bytes : next.bytes, peer);
    });
    book.put(next.bytes, strange().peer);
    const found = await clock.until(all(crawler.crawl(never)));
    expect(found.map(({ peer }) => peer)).toEqual([next.peer, last.peer]);
    expect(found.map(({ peer }) => peer)).not.toContain(self);
  });

  test('does not knock at doors of our house that a stranger named: not the DHT’s either', async () => {
    const inside = ['/ip4/192.168.1.9/tcp/22'];
    const [one, other] = [strange(inside), strange(inside)];
    const { crawler, book, asked } = walker(
      async () => undefined,
      [{ peer: other.peer, addresses: inside, source: strange().peer }],
    );
    book.put(one.bytes, strange().peer);
    const found = await clock.until(all(crawler.crawl(never)));
    expect(asked.tried).toEqual([]);
    expect(
      found.map(({ state, via }) => [state, via]).toSorted(([, a], [, b]) => (a ?? '').localeCompare(b ?? '')),
    ).toEqual([
      ['untried', 'dht'],
      ['untried', 'record'],
    ]);
  });

  test('tells who was not there', async () => {
    const { crawler, book } = walker(async () => Promise.reject(new PeerAiError('PEER_UNREACHABLE', 'nobody')));
    book.put(strange().bytes, strange().peer);
    expect(await clock.until(all(crawler.crawl(never)))).toMatchObject([{ state: 'unreachable', told: 0 }]);
  });

  test('is refused while another is under way', async () => {
    const { crawler, book } = walker(() => clock.sleep(1));
    book.put(strange().bytes, strange().peer);
    const first = all(crawler.crawl(never));
    await expect(all(crawler.crawl(never))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    await clock.until(first);
    expect(await clock.until(all(crawler.crawl(never)))).toHaveLength(1);
  });
});
