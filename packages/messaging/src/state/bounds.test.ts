import { createIdentity, type Identity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { stateWorld } from '../../test/state-world.ts';
import { place } from '../../test/world.ts';
import { createBook, sizeOf } from './book.ts';
import { clientOf, openCharter, signCharter } from './charter.ts';
import { type DocumentsDeps, takeEntries, writeDocument } from './documents.ts';
import { openEntry, signEntry } from './entry.ts';
import { limits } from './limits.ts';
import { readLetter } from './protocol.ts';
import { createReplica } from './replica.ts';

const random = seededRandom(3);
const someone = (): Identity => createIdentity(crypto, random.bytes(32));
const refusedBy = (code: string) => expect.objectContaining({ code });

/** One document of ours, and others that write to it. */
async function scene() {
  const identity = someone();
  const clock = new ManualClock();
  const parts = { store: new MemoryStore(), crypto, clock, identity };
  const book = createBook(parts);
  const deps: DocumentsDeps = { ...parts, book, changed: () => undefined };
  const make = async (salt: Uint8Array): Promise<string> => {
    const charter = signCharter(crypto, identity, { name: 'notes', salt, version: 0, members: [], group: undefined });
    await book.charter(charter);
    return charter.id;
  };
  const id = await make(random.bytes(16));
  /** An entry with so many bytes of value, the first of its life. */
  const entry = (author: Identity, life: number, bytes = 1, document = id): Uint8Array => {
    const change = createReplica().write(clientOf(crypto, document, author.peer, life), (made) =>
      made.set(`k${life}`, JSON.stringify('x'.repeat(bytes))),
    );
    const update = change?.update ?? new Uint8Array();
    return signEntry(author, { document, life, place: 0, covers: [], update }).bytes;
  };
  return { ...parts, book, deps, id, make, entry };
}

test('so many authors as the limit says are taken, one more is not', async () => {
  const { deps, id, entry, book } = await scene();
  for (let count = 0; count < limits.authorsMax; count += 1) await takeEntries(deps, id, [entry(someone(), 1)]);
  await expect(takeEntries(deps, id, [entry(someone(), 1)])).rejects.toThrow(refusedBy('LIMIT_REACHED'));
  expect((await book.open(id)).vector.size).toBe(limits.authorsMax);
});

test('so many lives of one author as the limit says are taken, one more is not, and what came before it is', async () => {
  const { deps, id, entry, book } = await scene();
  const author = someone();
  const entries = Array.from({ length: limits.livesMax + 1 }, (_, life) => entry(author, life));
  await expect(takeEntries(deps, id, entries)).rejects.toThrow(refusedBy('LIMIT_REACHED'));
  expect((await book.open(id)).replica.entries()).toHaveLength(limits.livesMax);
});

test('our own lives end at the limit: the last one goes on, and no place is used twice', async () => {
  const { deps, id, store, clock, identity } = await scene();
  for (let start = 0; start < limits.livesMax + 2; start += 1) {
    await clock.advance(10);
    const again = { ...deps, book: createBook({ store, crypto, clock, identity }) };
    expect(await writeDocument(again, id, (parts) => parts.set('start', `${start}`))).toBe(true);
  }
  const { vector, replica } = await createBook({ store, crypto, clock, identity }).open(id);
  expect(vector.get(identity.peer)?.size).toBe(limits.livesMax);
  expect(replica.get('start')).toBe(`${limits.livesMax + 1}`);
});

test('an author’s entries are taken up to their bytes, and no more; written anew as one, they have room again', async () => {
  const { deps, id, entry, book } = await scene();
  const author = someone();
  const first = entry(author, 1, 300_000);
  await takeEntries(deps, id, [first]);
  const overhead = entry(author, 2, 300_000).length - 300_000;
  const left = limits.authorBytesMax - first.length - overhead;
  await expect(takeEntries(deps, id, [entry(author, 2, left + 1)])).rejects.toThrow(refusedBy('LIMIT_REACHED'));
  await takeEntries(deps, id, [entry(author, 2, left)]);
  expect(sizeOf(await book.open(id))).toBe(limits.authorBytesMax);
  await expect(takeEntries(deps, id, [entry(author, 3)])).rejects.toThrow(refusedBy('LIMIT_REACHED'));
  // Nobody else's room is less by that.
  await takeEntries(deps, id, [entry(someone(), 1, 300_000)]);
  const covers = [1, 2].map((life) => ({ life, place: 0 }));
  const update = createReplica().write(clientOf(crypto, id, author.peer, 4), (made) => made.set('k', '1'))?.update;
  const whole = { document: id, life: 4, place: 0, covers, update: update ?? new Uint8Array() };
  await takeEntries(deps, id, [signEntry(author, whole).bytes, entry(author, 5, 300_000)]);
  const { held } = await book.open(id);
  expect([...held.values()].filter((one) => one.author === author.peer)).toHaveLength(2);
});

test('all documents together take so many bytes as the limit says', async () => {
  const { deps, make, entry, book } = await scene();
  const perDocument = 6;
  let size = 0;
  const sized = async (document: string, bytes: number, author = someone()): Promise<number> => {
    const next = entry(author, 1, bytes, document);
    await takeEntries(deps, document, [next]);
    return next.length;
  };
  let document = await make(random.bytes(16));
  for (let count = 1; size + 700_000 < limits.bytesMax; count += 1) {
    if (count % perDocument === 0) document = await make(random.bytes(16));
    size += await sized(document, 600_000);
  }
  document = await make(random.bytes(16));
  size += await sized(document, 300_000);
  // By one author: how long an entry is beside its value depends on the author's number.
  const last = someone();
  const rest = limits.bytesMax - size - (entry(last, 1, 300_000, document).length - 300_000);
  await expect(sized(document, rest + 1, last)).rejects.toThrow(refusedBy('LIMIT_REACHED'));
  expect((await book.open(document)).replica.entries()).toHaveLength(1);
  await sized(document, rest, last);
}, 60_000);

test('an entry, a charter and a letter of the limit are read, one byte or entry more is not', () => {
  const identity = someone();
  const made = (bytes: number) =>
    signEntry(identity, { document: '0'.repeat(32), life: 1, place: 0, covers: [], update: new Uint8Array(bytes) });
  const overhead = made(600_000).bytes.length - 600_000;
  const most = made(limits.entryBytesMax - overhead);
  expect(most.bytes).toHaveLength(limits.entryBytesMax);
  expect(openEntry(crypto, most.bytes).update).toHaveLength(limits.entryBytesMax - overhead);
  expect(() => made(limits.entryBytesMax - overhead + 1)).toThrow(refusedBy('LIMIT_EXCEEDED'));
  const longer = new Uint8Array(limits.entryBytesMax + 1);
  expect(() => openEntry(crypto, longer)).toThrow(refusedBy('LIMIT_EXCEEDED'));
  const members = Array.from({ length: limits.membersMax }, () => someone().peer);
  const name = 'n'.repeat(limits.nameBytesMax);
  const charter = signCharter(crypto, identity, {
    name,
    salt: random.bytes(16),
    version: 0,
    members,
    group: undefined,
  });
  expect(charter.bytes.length).toBeLessThanOrEqual(limits.charterBytesMax);
  expect(openCharter(crypto, charter.bytes).members).toEqual(members);
  expect(() => openCharter(crypto, new Uint8Array(limits.charterBytesMax + 1))).toThrow(refusedBy('INVALID_FORMAT'));
  const letter = (count: number) => readLetter({ charter: 'AA', entries: Array.from({ length: count }, () => 'AA') });
  expect(letter(limits.batchEntriesMax).entries).toHaveLength(limits.batchEntriesMax);
  expect(() => letter(limits.batchEntriesMax + 1)).toThrow(refusedBy('INVALID_FORMAT'));
});

test('one batch carries so many entries as the limit says, in order, and the next one goes on from there', async () => {
  const { deps, id, identity, book } = await scene();
  const author = someone();
  const replica = createReplica();
  const client = clientOf(crypto, id, author.peer, 1);
  for (let at = 0; at < limits.batchEntriesMax + 1; at += 1) {
    const update = replica.write(client, (parts) => parts.set('k', `${at}`))?.update ?? new Uint8Array();
    await takeEntries(deps, id, [signEntry(author, { document: id, life: 1, place: at, covers: [], update }).bytes]);
  }
  const document = await book.open(id);
  const first = await book.missing(document, new Map());
  expect([first.length, first.at(-1)?.place]).toEqual([limits.batchEntriesMax, limits.batchEntriesMax - 1]);
  const next = await book.missing(document, new Map([[author.peer, new Map([[1, limits.batchEntriesMax - 1]])]]));
  expect(next.map(({ place: at }) => at)).toEqual([limits.batchEntriesMax]);
  expect(await book.missing(document, document.vector)).toEqual([]);
  expect(await book.missing(document, new Map(), identity.peer)).toEqual([]);
});

test('so many documents that were given up are remembered; the oldest may come back', async () => {
  const { book, make, clock } = await scene();
  const ids: string[] = [];
  for (let count = 0; count <= limits.forgottenMax; count += 1) {
    const id = await make(random.bytes(16));
    ids.push(id);
    await clock.advance(1);
    await book.forget(id);
  }
  const [first = '', second = ''] = ids;
  expect([await book.isForgotten(first), await book.isForgotten(second)]).toEqual([false, true]);
});

test('a peer keeps so many documents of one founder as the limit says, and so many of all', async () => {
  const here = place();
  const a = await stateWorld(1, here);
  const founders = Math.ceil(limits.documentsMax / limits.documentsPerFounderMax) + 1;
  const worlds = [a];
  for (let seed = 2; seed < 2 + founders; seed += 1) {
    const b = await stateWorld(seed, here);
    worlds.push(b);
    // One more than it may found: its limit is undone by giving one up, ours is not.
    for (let count = 0; count <= limits.documentsPerFounderMax; count += 1) {
      const { id } = await b.states.create(`d${count}`, { members: [a.peer] });
      await here.clock.advance(500);
      if (count === 0) await b.states.forget(id);
    }
    const theirs = (await a.states.list()).filter(({ founder }) => founder === b.peer);
    const room = limits.documentsMax - (seed - 2) * limits.documentsPerFounderMax;
    expect(theirs).toHaveLength(Math.min(limits.documentsPerFounderMax, Math.max(0, room)));
  }
  const [one] = await a.states.list();
  expect(await a.states.list()).toHaveLength(limits.documentsMax);
  // Its own have no other place.
  await expect(a.states.create('own', {})).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await a.states.forget(one?.id ?? '');
  expect(await a.states.create('own', {})).toMatchObject({ name: 'own' });
  for (const world of worlds) await world.stop();
}, 60_000);
