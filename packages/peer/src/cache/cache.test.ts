import { nobleCrypto, PeerAiError, type PeerId, toHex, utf8 } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryShelf,
  MemoryStore,
  seededRandom,
} from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { type TestPeer, testWorld } from '../testing/peers.ts';
import { live, pair } from '../testing/steps.ts';
import { createCache } from './cache.ts';
import { cacheRequestSchema } from './cache.schema.ts';
import { openCacheRoom } from './cache-room.ts';
import { cacheProtocol } from './cache-protocol.ts';
import { cacheLimits } from './limits.ts';

const contentOf = (bytes: number, seed: number): Uint8Array => seededRandom(seed).bytes(bytes);
const hashOf = (content: Uint8Array): string => toHex(nobleCrypto.sha256(content));

/** One who fetches, and devices at these distances; what each says of a hash is its own affair. */
async function around(
  givers: Readonly<
    Record<
      string,
      {
        readonly roundTripMs: number;
        readonly give: (sha256: string) => Uint8Array | undefined;
        readonly stopAt?: number;
      }
    >
  >,
  quotaBytes = 400_000,
) {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(1) });
  const names = Object.keys(givers);
  const peerOf = (name: string): PeerId => `12D3KooW${name}` as PeerId;
  const asked: string[] = [];
  for (const name of names) {
    const { give, stopAt = Infinity } = givers[name] ?? { give: () => undefined };
    const network = networks.join(peerOf(name), { isGranted: () => true });
    serveBlobs(
      network,
      {
        async length(hash) {
          asked.push(name);
          return give(toHex(hash))?.length;
        },
        async read(hash, offset, count) {
          if (offset >= stopAt) networks.kill(peerOf(name));
          asked.push(`${name} from ${offset}`);
          return give(toHex(hash))?.subarray(offset, offset + count) ?? new Uint8Array();
        },
      },
      cacheProtocol,
    );
  }
  const [shelf, store] = [new MemoryShelf(), new MemoryStore()];
  const network = networks.join(peerOf('me'), { isGranted: () => true });
  const nearest = () =>
    names
      .map((name) => ({ peer: peerOf(name), name, roundTripMs: givers[name]?.roundTripMs ?? null, addresses: [] }))
      .toSorted((a, b) => (a.roundTripMs ?? 0) - (b.roundTripMs ?? 0)) as never;
  const open = () =>
    openCacheRoom({
      clock,
      crypto: nobleCrypto,
      network,
      store,
      shelf,
      quotaBytes,
      offered: true,
      nearest,
      mayFetch: () => true,
      elsewhere: async () => undefined,
      nameOf: (peer) => peer.slice(8),
    });
  const room = await open();
  const get = async (sha256: string) => {
    const fetched = await clock.until(room.fetch(sha256, live()));
    await clock.advance(1);
    return fetched;
  };
  return { clock, room, open, get, asked, shelf, store };
}
const code = (expected: string) => expect.objectContaining({ code: expected });

test('the nearest `askedMax` are asked, and not one more', async () => {
  const content = contentOf(1_000, 21);
  const farthestAt = (count: number) =>
    around(
      Object.fromEntries(
        Array.from({ length: count }, (_, at) => [
          `d${at}`,
          { roundTripMs: at + 1, give: () => (at + 1 === count ? content : undefined) },
        ]),
      ),
    );
  const near = await farthestAt(cacheLimits.askedMax);
  expect((await near.get(hashOf(content))).asked).toHaveLength(cacheLimits.askedMax);
  const far = await farthestAt(cacheLimits.askedMax + 1);
  await expect(far.get(hashOf(content))).rejects.toThrow(code('NOT_FOUND'));
  expect(far.asked).not.toContain(`d${cacheLimits.askedMax}`);
});

test('the nearest device that has it gives it; who lies is found out, and the next one is asked', async () => {
  const content = contentOf(150_000, 1);
  const liar = Uint8Array.from(content).fill(7, 100_000);
  const { get, room, asked, shelf } = await around({
    far: { roundTripMs: 90, give: () => content },
    near: { roundTripMs: 3, give: () => liar },
    empty: { roundTripMs: 1, give: () => undefined },
    middle: { roundTripMs: 20, give: () => content },
  });
  const sha256 = hashOf(content);
  expect((await get(sha256)).asked).toMatchObject([
    { name: 'empty', code: 'NOT_FOUND' },
    { name: 'near', roundTripMs: 3, code: 'HASH_MISMATCH' },
    { name: 'middle', roundTripMs: 20, code: null },
  ]);
  expect(asked).not.toContain('far');
  expect(await room.bytes(sha256)).toEqual(content);
  expect(await get(sha256)).toMatchObject({ wasHere: true, asked: [], bytes: 150_000 });
  // What was changed on the disk is given to nobody as what it was.
  await shelf.write(`cache/${sha256}`, 5, Uint8Array.of(1, 2, 3));
  await expect(room.bytes(sha256)).rejects.toThrow(code('HASH_MISMATCH'));
  expect(room.view().files).toEqual([]);
  await expect(get(hashOf(contentOf(9, 9)))).rejects.toThrow(code('NOT_FOUND'));
});

test('what broke off goes on where it was, with another device, also after a restart', async () => {
  const content = contentOf(300_000, 2);
  const sha256 = hashOf(content);
  let isBack = false;
  const { clock, open, room, asked } = await around({
    first: { roundTripMs: 1, give: () => content, stopAt: 131_072 },
    second: { roundTripMs: 2, give: (wanted) => (isBack && wanted === sha256 ? content : undefined) },
  });
  const broken = await clock.until(room.fetch(sha256, live())).catch((error: unknown) => error);
  expect(PeerAiError.is(broken, 'NOT_FOUND')).toBe(true);
  isBack = true;
  const again = await open();
  const fetched = await clock.until(again.fetch(sha256, live()));
  expect(fetched).toMatchObject({ wasHere: false, bytes: 300_000 });
  const second = asked.filter((line) => line.startsWith('second from'));
  expect(second[0]).toMatch(/from (65536|131072)$/u);
  expect(await again.bytes(sha256)).toEqual(content);
});

test('what comes is written down each time `writtenEveryBytes` of it are there, and before that nothing', async () => {
  const every = cacheLimits.writtenEveryBytes;
  const written = async (bytes: number) => {
    const content = contentOf(bytes, 30);
    const { get, shelf } = await around({ one: { roundTripMs: 1, give: () => content } }, 4 * every);
    const writes: (readonly [offset: number, bytes: number])[] = [];
    const write = shelf.write.bind(shelf);
    shelf.write = async (name, offset, piece) => {
      writes.push([offset, piece.length]);
      await write(name, offset, piece);
    };
    await get(hashOf(content));
    // The last write is that of the whole.
    return writes.slice(0, -1);
  };
  expect(await written(every - 1)).toEqual([]);
  expect(await written(every)).toEqual([[0, every]]);
  expect(await written(2 * every + 1)).toEqual([
    [0, every],
    [every, every],
  ]);
});

test('the reason of a device is told with `reasonCharsMax` characters of it', async () => {
  const reasonOf = async (chars: number) => {
    const says = (): never => {
      throw new PeerAiError('STORE_BROKEN', 'x'.repeat(chars));
    };
    const { clock, room } = await around({ one: { roundTripMs: 1, give: says } });
    const error: unknown = await clock.until(room.fetch('00'.repeat(32), live())).catch((thrown: unknown) => thrown);
    const { asked = [] } = (error as PeerAiError).details as { asked?: readonly { readonly reason?: string }[] };
    return asked[0]?.reason?.length;
  };
  const most = cacheLimits.reasonCharsMax;
  expect([await reasonOf(most), await reasonOf(most + 1)]).toEqual([most, most]);
});

test('a beginning that a liar gave does not spoil what an honest device gives', async () => {
  const content = contentOf(200_000, 3);
  const { get, room } = await around({
    liar: { roundTripMs: 1, give: () => contentOf(200_000, 4), stopAt: 131_072 },
    honest: { roundTripMs: 2, give: () => content },
  });
  expect((await get(hashOf(content))).asked.at(-1)).toMatchObject({ name: 'honest', code: null });
  expect(await room.bytes(hashOf(content))).toEqual(content);
});

test('the quota holds: what was used longest ago goes, and what is larger never comes', async () => {
  const files = [5, 6, 7].map((seed) => contentOf(150_000, seed));
  const [exact, over] = [contentOf(400_000, 8), contentOf(400_001, 9)];
  const all = new Map([...files, exact, over].map((content) => [hashOf(content), content]));
  const { get, room, shelf, open } = await around({ one: { roundTripMs: 1, give: (sha256) => all.get(sha256) } });
  const [a, b, c] = files.map(hashOf) as [string, string, string];
  await get(a);
  await get(b);
  await room.bytes(a);
  await get(c);
  const kept = () => room.view().files.map(({ sha256 }) => sha256);
  expect(new Set(kept())).toEqual(new Set([a, c]));
  expect(await shelf.list('cache')).toHaveLength(2);
  expect((await open()).view()).toEqual(room.view());
  await expect(get(hashOf(over))).rejects.toThrow(code('NOT_FOUND'));
  expect(new Set(kept())).toEqual(new Set([a, c]));
  await get(hashOf(exact));
  expect(room.view()).toMatchObject({ bytes: 400_000, quotaBytes: 400_000 });
  await room.remove(hashOf(exact));
  expect([room.view().bytes, await shelf.list('cache')]).toEqual([0, []]);
  await expect(room.remove(a)).rejects.toThrow(code('NOT_FOUND'));
});

/** Files of so many bytes each, as if they had been fetched before; the first was used longest ago. */
async function withFiles(sizes: readonly number[], give: Uint8Array) {
  const made = await around({ one: { roundTripMs: 1, give: () => give } }, cacheLimits.quotaBytes);
  const rows = sizes.map((bytes, at) => ({ sha256: `${at}`, bytes, fetchedMs: at, usedMs: at, from: 'one' }));
  const store = made.store.room('cache');
  await store.commit(rows.map((row) => store.put(`file/${row.sha256}`, utf8(JSON.stringify(row)))));
  const room = await made.open();
  await made.clock.until(room.fetch(hashOf(give), live()));
  const { files } = room.view();
  return { count: files.length, isFirstKept: files.some(({ sha256 }) => sha256 === '0') };
}

test('`filesMax` files are kept: with one more the one goes that was used longest ago', async () => {
  const ones = (count: number) => Array.from({ length: count }, () => 1);
  const content = contentOf(10, 40);
  const most = cacheLimits.filesMax;
  expect(await withFiles(ones(most - 1), content)).toEqual({ count: most, isFirstKept: true });
  expect(await withFiles(ones(most), content)).toEqual({ count: most, isFirstKept: false });
});

test('without another word they have `quotaBytes` together, and with a byte more the oldest goes', async () => {
  const content = contentOf(10, 41);
  const most = cacheLimits.quotaBytes;
  const cache = createCache(
    { shelf: new MemoryShelf(), store: new MemoryStore(), clock: new ManualClock(), crypto: nobleCrypto } as never,
    {},
  );
  expect(await cache.view()).toMatchObject({ quotaBytes: most, offered: false });
  expect(await withFiles([most - 11, 1], content)).toEqual({ count: 3, isFirstKept: true });
  expect(await withFiles([most - 11, 2], content)).toEqual({ count: 2, isFirstKept: false });
});

test('an imported model is given by its hash, and imported where it came when that is asked', async () => {
  const clock = new ManualClock();
  const networks = createMemoryNetworks({ clock, random: seededRandom(2) });
  const content = contentOf(70_000, 11);
  const sha256 = hashOf(content);
  const device = (name: string) => ({
    peer: `12D3KooW${name}` as PeerId,
    name,
    blocked: false,
    allow: ['chat'],
    addresses: [],
  });
  const added: (readonly [string, string])[] = [];
  const side = (name: string, other: string, models: Readonly<Record<string, { file: string; bytes: number }>>) => {
    const shelf = new MemoryShelf();
    const cache = createCache(
      {
        clock,
        crypto: nobleCrypto,
        network: networks.join(device(name).peer, { isGranted: () => true }),
        store: new MemoryStore(),
        shelf,
        nameOf: () => other,
        devices: { get: () => device(other), list: () => [device(other)] } as never,
        isOnline: () => true,
        roundTripMs: () => 5,
        memory: { fetch: () => Promise.reject(new Error('not asked')) },
        imported: {
          fileOf: async (hash: string) => models[hash],
          async add(as: string, bytes: AsyncIterable<Uint8Array>) {
            for await (const piece of bytes) added.push([as, hashOf(piece)]);
            return { name: as };
          },
        } as never,
        stopping: live(),
      },
      { offered: true },
    );
    cache.start();
    return { cache, shelf };
  };
  const giver = side('giver', 'taker', { [sha256]: { file: `models/${sha256}.onnx`, bytes: content.length } });
  await giver.shelf.write(`models/${sha256}.onnx`, 0, content);
  const { cache } = side('taker', 'giver', {});
  const found = await clock.until(cache.get({ sha256, importAs: 'signs' }, live()));
  expect(found).toMatchObject({ importedAs: 'signs', asked: [{ name: 'giver', roundTripMs: 5, code: null }] });
  expect(added).toEqual([['signs', sha256]]);
});

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

test('paired devices fetch what the owner offers, and capsules by their id; nobody else does', async () => {
  const world = testWorld();
  const shelves = [new MemoryShelf(), new MemoryShelf(), new MemoryShelf()] as const;
  const offering = { shelf: shelves[0], settings: { cache: { offered: true } } };
  const [a, b, c] = [
    await world.peer('a', offering),
    await world.peer('b', { shelf: shelves[1] }),
    await world.peer('c', { shelf: shelves[2] }),
  ];
  started.push(a, b, c);
  await pair(world, a, b, ['chat', 'memory']);
  await pair(world, b, c);
  const content = contentOf(100_000, 10);
  const sha256 = hashOf(content);
  // As if it had been fetched before.
  const row = { sha256, bytes: content.length, fetchedMs: 0, usedMs: 0, from: a.identity.peer };
  const cacheRoom = a.store.room('cache');
  await cacheRoom.commit([cacheRoom.put(`file/${sha256}`, new TextEncoder().encode(JSON.stringify(row)))]);
  await shelves[0].write(`cache/${sha256}`, 0, content);
  const get = ({ peer }: TestPeer, wanted: string, kind: 'file' | 'capsule' = 'file') =>
    world.clock.until(peer.cache.get({ sha256: wanted, kind }, live()));
  expect((await get(b, sha256)).asked).toMatchObject([{ name: 'a', code: null }]);
  expect(await b.peer.cache.view()).toMatchObject({
    bytes: 100_000,
    files: [{ sha256, fromName: 'a' }],
    offered: false,
  });
  // b offers nothing; to its owner's own device it gives all the same.
  await expect(get(c, sha256)).rejects.toThrow(code('NOT_FOUND'));
  await b.peer.peers.change('c', { allow: ['chat', 'own'] });
  expect((await get(c, sha256)).asked).toMatchObject([{ name: 'b', code: null }]);
  const { capsule } = await a.peer.memory.add({ text: 'for all', level: 'public' }, live());
  const secret = await a.peer.memory.add({ text: 'for nobody' }, live());
  expect((await get(b, capsule.id, 'capsule')).asked).toMatchObject([{ name: 'a', code: null }]);
  expect((await b.peer.memory.get(capsule.id)).text).toBe('for all');
  await expect(get(b, secret.capsule.id, 'capsule')).rejects.toThrow(code('NOT_FOUND'));
  await b.peer.cache.remove(sha256);
  await expect(b.peer.cache.remove(sha256)).rejects.toThrow(code('NOT_FOUND'));
  for (const wrong of [sha256.slice(1), `${sha256}0`, 'g'.repeat(64)])
    expect(cacheRequestSchema.safeParse({ sha256: wrong }).success).toBe(false);
});
