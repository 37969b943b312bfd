import { createIdentity, type Identity, type Messenger, serveMethod } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createBook } from './book.ts';
import { createCarrier, type CarrierDeps } from './carrier.ts';
import { clientOf, signCharter } from './charter.ts';
import { takeEntries, writeDocument } from './documents.ts';
import { signEntry } from './entry.ts';
import { exchange } from './exchange.ts';
import { limits } from './limits.ts';
import { exchangeMethod, readVector, writeVector } from './protocol.ts';
import { createReplica } from './replica.ts';

const random = seededRandom(17);
const someone = (): Identity => createIdentity(crypto, random.bytes(32));
const signal = new AbortController().signal;

/** A document of ours that one other peer shares, and what is given to the messenger. */
async function scene() {
  const [identity, other, clock] = [someone(), someone(), new ManualClock()];
  const networks = createMemoryNetworks({ clock, random });
  const parts = { store: new MemoryStore(), crypto, clock, identity };
  const book = createBook(parts);
  const members = [other.peer];
  const charter = signCharter(crypto, identity, {
    name: 'notes',
    salt: random.bytes(16),
    version: 0,
    members,
    group: undefined,
  });
  await book.charter(charter);
  const sent: unknown[] = [];
  const send: Messenger['send'] = async ({ payload }) => `${sent.push(payload)}`;
  const deps: CarrierDeps = {
    ...parts,
    book,
    network: networks.join(identity.peer),
    logger: silentLogger,
    messenger: { send } as Messenger,
    membersOf: async () => [identity.peer, other.peer],
    mayShare: () => true,
    told: () => undefined,
    changed: () => undefined,
  };
  const there = networks.join(other.peer, { isGranted: () => true });
  const write = (text: string) => writeDocument(deps, charter.id, (document) => document.set('key', text));
  return { deps, book, clock, other, there, charter, id: charter.id, sent, write };
}

test.each([0, 1])(
  'two peers ask as often as the limit says in one meeting, %i entries beyond it wait for the next',
  async (beyond) => {
    const { deps, book, clock, other, there, charter, id } = await scene();
    const replica = createReplica();
    const client = clientOf(crypto, id, other.peer, 1);
    // The last question finds nothing new.
    const entries = Array.from({ length: limits.roundsMax - 1 + beyond }, (_, place) => {
      const update = replica.write(client, (parts) => parts.set('count', `${place}`))?.update ?? new Uint8Array();
      return signEntry(other, { document: id, life: 1, place, covers: [], update }).bytes;
    });
    let asked = 0;
    serveMethod(
      there,
      exchangeMethod,
      async ({ vector }) => {
        asked += 1;
        const has = readVector(vector).get(other.peer)?.get(1) ?? -1;
        const told = writeVector(new Map([[other.peer, new Map([[1, entries.length - 1]])]]));
        return { charter: charter.bytes, vector: told, entries: entries.slice(has + 1, has + 2) };
      },
      { clock },
    );
    await exchange(deps, other.peer, id, undefined, signal);
    expect(asked).toBe(limits.roundsMax);
    // A first meeting that ends at its last round has asked once more than it has taken, or has just taken the last.
    expect((await book.open(id)).vector.get(other.peer)?.get(1)).toBe(limits.roundsMax - 2 + beyond);
    await exchange(deps, other.peer, id, undefined, signal);
    expect(asked).toBe(limits.roundsMax + 1);
  },
);

test('a question without an answer is over at its limit, not before, and what is ours goes by letter', async () => {
  const { deps, clock, other, there, id, sent, write } = await scene();
  await write('one');
  serveMethod(there, exchangeMethod, () => new Promise<never>(() => undefined), { clock });
  const carrier = createCarrier(deps);
  carrier.start(signal);
  carrier.linked(other.peer, true, [id]);
  await clock.advance(limits.exchangeMs - 1);
  expect(sent).toHaveLength(0);
  await clock.advance(1);
  expect(sent).toHaveLength(1);
});

test('two letters about a document to one peer are apart as long as the limit says; what was written meanwhile goes together', async () => {
  const { deps, clock, other, id, sent, write } = await scene();
  const carrier = createCarrier(deps);
  carrier.start(signal);
  for (const text of ['one', 'two', 'three']) {
    await write(text);
    carrier.wake(other.peer, id);
    await clock.advance(1);
  }
  expect(sent).toHaveLength(1);
  await clock.advance(limits.letterEveryMs - 4);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toMatchObject({ entries: [expect.any(String), expect.any(String)] });
  await clock.advance(10 * limits.letterEveryMs);
  expect(sent).toHaveLength(2);
});

test.each([
  [0, 2],
  [1, 1],
])('one batch carries entries up to its bytes: of two with %i more than that, %i', async (more, carried) => {
  const { deps, book, other, id } = await scene();
  const third = someone();
  // Two authors: one alone has no more than that.
  const entry = (author: Identity, bytes: number): Uint8Array => {
    const life = 1;
    const client = clientOf(crypto, id, author.peer, life);
    const change = createReplica().write(client, (parts) => parts.set('key', JSON.stringify('x'.repeat(bytes))));
    const update = change?.update ?? new Uint8Array();
    return signEntry(author, { document: id, life, place: 0, covers: [], update }).bytes;
  };
  const first = entry(other, limits.batchBytesMax / 2);
  const overhead = entry(third, 250_000).length - 250_000;
  const second = entry(third, limits.batchBytesMax + more - first.length - overhead);
  expect(first.length + second.length).toBe(limits.batchBytesMax + more);
  await takeEntries(deps, id, [first, second]);
  expect(await book.missing(await book.open(id), new Map())).toHaveLength(carried);
});
