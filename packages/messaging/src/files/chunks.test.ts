import type { PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ChunkTable, pcpLimits, splitTransfer } from '@peerai/core-protocol/pcp';
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
  const table = new ChunkTable({ crypto });
  const stop = new AbortController();
  const deps = {
    ...world,
    crypto,
    files,
    stopping: stop.signal,
    askAgain: (...args: unknown[]) => void asked.push(args),
  };
  const takeChunk = createChunkIntake(deps, table);
  const take = (index: number, more: object = {}) => takeChunk({ sender, payload: { ...chunks[index], ...more } });
  return { files, take, takeChunk, table, asked, shelf, world, stop };
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

test('what is never whole is dropped in time, though nothing else comes, and nothing waits after it', async () => {
  const { take, takeChunk, table, world, stop } = await open();
  await take(0);
  await world.clock.advance(pcpLimits.transferLifeMs / 2);
  await takeChunk({ sender: 'another' as PeerId, payload: chunks[1] });
  await world.clock.advance(pcpLimits.transferLifeMs / 2 - 1);
  expect(table.heldBytes(sender)).toBeGreaterThan(0);
  await world.clock.advance(1);
  expect([table.heldBytes(sender), table.heldBytes() > 0]).toEqual([0, true]);
  await world.clock.advance(pcpLimits.transferLifeMs / 2);
  expect([table.heldBytes(), world.clock.pending]).toEqual([0, 0]);
  // The next one is looked after too, until this peer stops.
  await take(0);
  expect(world.clock.pending).toBe(1);
  stop.abort();
  await world.clock.advance(0);
  expect(world.clock.pending).toBe(0);
});

test('whoever sends what never ends fills no more than the bound, whatever it announces', async () => {
  const { takeChunk, table } = await open();
  const codes = new Set<string>();
  const most: number[] = [];
  const data = (size: number): string => Buffer.alloc(size, 1).toString('base64');
  const id = (number: number): string => number.toString(16).padStart(32, '0');
  const send = (from: string, chunk: object): Promise<unknown> =>
    takeChunk({ sender: from as PeerId, payload: { sha256: '0'.repeat(64), ...chunk } }).catch((error: unknown) => {
      codes.add((error as { readonly code: string }).code);
    });
  await send('a', { transfer_id: id(1), chunk_index: 0, total_chunks: 1_000_000_000, data: data(1) });
  await send('a', { transfer_id: id(1), chunk_index: 0, total_chunks: 2, total_bytes: 53_477_376, data: data(1) });
  expect([...codes, table.heldBytes()]).toEqual(['LIMIT_EXCEEDED', 0]);
  const piece = data(pcpLimits.chunkBytesMax);
  for (let number = 0; number < 2_400; number += 1) {
    const chunk = { chunk_index: number % 300, total_chunks: 301, data: piece };
    await send(`peer ${number % 8}`, { ...chunk, transfer_id: id(Math.floor(number / 300)) });
    most.push(table.heldBytes());
  }
  expect(Math.max(...most)).toBeLessThanOrEqual(pcpLimits.assemblyBytesMax);
  expect(Math.max(...most)).toBeGreaterThan(pcpLimits.assemblyBytesMax - 2 * pcpLimits.chunkBytesMax);
  expect([...codes]).toContain('LIMIT_REACHED');
});
