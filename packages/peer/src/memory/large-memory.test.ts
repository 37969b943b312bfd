import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import {
  createMemoryNetworks,
  ManualClock,
  MemoryStore,
  seededRandom,
  silentLogger,
} from '@peerai/core-protocol/testing';
import { createUsearchIndexes } from '@peerai/nn-engine/node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { live } from '../testing/steps.ts';
import { createCopies } from './copies.ts';
import { openMemoryRoom } from './memory-room.ts';

const indexAboveRows = 6;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'large-memory-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The room of one peer, opened again and again on the same disk. */
function desk() {
  const clock = new ManualClock();
  const [random, store] = [seededRandom(1), new MemoryStore()];
  const identity = createIdentity(crypto, random.bytes(32));
  const network = createMemoryNetworks({ clock, random }).join(identity.peer);
  const devices = { list: () => [] };
  const ledger = { append: async () => 0n };
  const deps = { devices, identity, clock, random, crypto, store, network, logger: silentLogger, ledger };
  const open = () =>
    openMemoryRoom(
      {
        ...deps,
        nameOf: () => 'desk',
        formerKeys: new Set(),
        embedder: 'lexical',
        offeredEmbedders: () => [],
        findModel: async () => undefined,
        changed: () => undefined,
        tidied: () => undefined,
        copies: createCopies(deps),
        indexes: async (secret) => createUsearchIndexes({ folder, crypto, random, secret }),
        stopping: live(),
      },
      { indexAboveRows },
    );
  return { clock, open };
}
/** Files are written in real time, turns of the builder come in the test's. */
const written = (clock: ManualClock, is: () => Promise<boolean>): Promise<void> =>
  vi.waitFor(
    async () => {
      await clock.advance(50);
      if (!(await is())) throw new Error('not written yet');
    },
    { timeout: 20_000, interval: 5 },
  );
const isSame = (one: Uint8Array, other: Uint8Array | undefined): boolean =>
  other !== undefined && one.length === other.length && one.every((byte, place) => byte === other[place]);
const files = async () => (await readdir(folder)).filter((name) => name.endsWith('.index'));

test('above so many rows a memory keeps an index in a file, and makes it again when it is damaged or gone', async () => {
  const { clock, open } = desk();
  const first = await open();
  for (let count = 0; count < indexAboveRows; count += 1) await first.add({ text: `the roof number ${count}` }, live());
  await clock.advance(100);
  await first.stop();
  expect(await files()).toEqual([]);
  const room = await open();
  await room.add({ text: 'a boat with a red sail' }, live());
  await written(clock, async () => (await files()).length === 1);
  const [name = ''] = await files();
  const found = async (one: typeof room) =>
    (await one.search({ text: 'red sails', limit: 1 }, live())).hits[0]?.capsule.summary;
  expect(await found(room)).toBe('a boat with a red sail');
  await room.stop();
  const file = join(folder, name);
  const whole = await readFile(file);
  const undamaged = await open();
  await clock.advance(100);
  await undamaged.stop();
  // Sealed anew each time it is written: it was not.
  expect(await readFile(file)).toEqual(whole);
  for (const damage of [
    whole.subarray(0, 40),
    whole.map((byte, place) => (place === 90 ? byte ^ 1 : byte)),
    undefined,
  ]) {
    await (damage === undefined ? rm(file) : writeFile(file, damage));
    const again = await open();
    expect(await found(again)).toBe('a boat with a red sail');
    await written(clock, async () => (await files()).length === 1 && !isSame(await readFile(file), damage));
    expect(await found(again)).toBe('a boat with a red sail');
    await again.stop();
  }
});
