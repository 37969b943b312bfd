import { callMethod, createIdentity, type PeerId, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { groupWorld } from '../../test/group-world.ts';
import { place } from '../../test/world.ts';
import { collect, under } from '../rows.ts';
import { createBook } from './book.ts';
import { limits } from './limits.ts';
import { createMls, type Mls } from './mls.ts';
import { keyPackageMethod } from './protocol.ts';
import { parkCodec } from './rows.ts';

const random = seededRandom(15);
function member(seed: number): { readonly peer: PeerId; readonly mls: Mls } {
  const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(seed));
  return { peer: identity.peer, mls: createMls({ crypto: nodeCrypto, random, identity }) };
}

test('letters of one sender wait up to so many bytes, and not one byte more', async () => {
  const [own, sender] = [member(1), member(2)];
  const group = '0'.repeat(32);
  const quarter = limits.parkedBytesPerSenderMax / 4;
  // A row that waits counts with what it says about itself, the one that comes with its letter alone.
  const around = parkCodec.encode({ data: new Uint8Array(quarter), place: 1, atMs: 1 }).length - quarter;
  const waiting = async (lastBytes: number): Promise<number> => {
    const book = createBook(new MemoryStore(), own.mls);
    const park = (at: number, bytes: number) =>
      book.park(group, 1n, { sender: sender.peer, place: at, data: new Uint8Array(bytes) }, 1);
    for (const at of [1, 2, 3]) await park(at, quarter);
    await park(4, lastBytes);
    return (await book.parked(group)).length;
  };
  const room = quarter - 3 * around;
  expect(await waiting(room)).toBe(4);
  await expect(waiting(room + 1)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('a message is read as many changes later as epochs are kept, and not one more', async () => {
  const [a, b] = [member(1), member(2)];
  const founded = await a.mls.found(new Uint8Array(16).fill(7), { name: 'team', committer: a.peer });
  const keys = await b.mls.keyPackage();
  const made = await a.mls.commit(founded, { add: [{ peer: b.peer, keyPackage: keys.message }] });
  let [atA, atB] = [made.state, await b.mls.join(made.welcome ?? new Uint8Array(), keys)];
  const early = await a.mls.seal(atA, utf8('early'));
  const change = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) {
      const commit = await a.mls.commit(atA, {});
      const opened = await b.mls.open(atB, commit.commit);
      [atA, atB] = [commit.state, opened.state];
    }
  };
  await change(limits.epochsKept);
  expect(await b.mls.open(atB, early.message)).toMatchObject({ kind: 'application' });
  await change(1);
  await expect(b.mls.open(atB, early.message)).rejects.toMatchObject({ code: 'REFUSED' });
});

test('so many key packages of one peer are kept, the oldest is forgotten; another peer has its own', async () => {
  const here = place();
  const [a, b, c] = [await groupWorld(1, here), await groupWorld(2, here), await groupWorld(3, here)];
  const signal = new AbortController().signal;
  const rows = async (of: PeerId): Promise<string[]> =>
    (await collect(a.store.room('groups').range(...under(`keys/${of}`)))).map(({ key }) => key);
  const ask = (from: typeof b) => callMethod(from, a.identity.peer, keyPackageMethod, {}, { signal });
  await ask(b);
  const [first] = await rows(b.identity.peer);
  for (let count = 1; count < limits.keyPackagesPerPeerMax; count += 1) {
    await here.clock.advance(1);
    await ask(b);
  }
  expect(await rows(b.identity.peer)).toHaveLength(limits.keyPackagesPerPeerMax);
  expect(await rows(b.identity.peer)).toContain(first);
  await ask(c);
  await ask(b);
  expect(await rows(b.identity.peer)).toHaveLength(limits.keyPackagesPerPeerMax);
  expect(await rows(b.identity.peer)).not.toContain(first);
  expect(await rows(c.identity.peer)).toHaveLength(1);
  for (const world of [a, b, c]) await world.stop();
});
