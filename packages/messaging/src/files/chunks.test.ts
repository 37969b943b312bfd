import type { PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { splitTransfer } from '@peerai/core-protocol/pcp';
import { memoryWorld, MemoryShelf, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createChunkIntake } from './chunks.ts';
import { openPeerFiles } from './files.ts';

const sender = 'older' as PeerId;
const bytes = seededRandom(1).bytes(100_000);
const chunks = splitTransfer(crypto, seededRandom(2).bytes(16), bytes);

async function open(shelf = new MemoryShelf(), world = memoryWorld({ seed: 1 })) {
  const files = await openPeerFiles({ ...world, shelf, store: world.store.room('files') });
  const asked: unknown[] = [];
  const takeChunk = createChunkIntake({ ...world, crypto, files, askAgain: (...args) => void asked.push(args) });
  const take = (index: number, more: object = {}) => takeChunk({ sender, payload: { ...chunks[index], ...more } });
  return { files, take, asked, shelf, world };
}

test('chunks of an older peer in any order and twice become one file, and what is lost is asked for', async () => {
  const { files, take, asked, shelf, world } = await open();
  expect(chunks).toHaveLength(4);
  const transfer_id = chunks[0]?.transfer_id;
  expect(await take(1)).toEqual({ transfer_id, total_chunks: 4, state: 'more', missing: [] });
  expect(await take(3)).toMatchObject({ state: 'more', missing: [0, 2] });
  expect(await take(3)).toMatchObject({ state: 'repeat', missing: [0, 2] });
  expect(asked).toEqual([[sender, { transfer_id, missing: [0, 2] }]]);
  expect(await take(2)).toMatchObject({ state: 'more' });
  expect(await take(0, { original_msg_type: '../data' })).toMatchObject({ state: 'whole' });
  const [record] = files.all();
  expect(record).toMatchObject({ peer: sender, name: '../data.bin', state: 'done', way: 'http', size: bytes.length });
  expect(record?.kept).toMatch(/^received\/[0-9a-f]{8}-data\.bin$/u);
  expect(shelf.files.get(record?.kept ?? '')).toEqual(bytes);
  // Also when it all comes again after a restart.
  const again = await open(shelf, { ...world, store: world.store.reopen() });
  for (const index of [0, 1, 2, 3]) expect(await again.take(index)).toMatchObject({ state: 'repeat' });
  expect(again.files.all()).toHaveLength(1);
});

test('what cannot be kept is refused, and taken when it comes again', async () => {
  const { files, take, shelf } = await open();
  for (const index of [0, 1, 2]) await take(index);
  shelf.failNextWrite('STORE_FULL');
  await expect(take(3)).rejects.toMatchObject({ code: 'STORE_FULL' });
  for (const index of [0, 1, 2]) expect(await take(index)).toMatchObject({ state: 'more' });
  expect(await take(3)).toMatchObject({ state: 'whole' });
  expect(files.all().map(({ state }) => state)).toEqual(['refused', 'done']);
});
