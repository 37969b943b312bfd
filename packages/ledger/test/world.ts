import { type EntryBody, type Row, type Store, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { type ManualClock, type MemoryWorld, memoryWorld } from '@peerai/core-protocol/testing';
import { createReceiptBook, openLedger, type OwnLedger, type ReceiptBook } from '../src/index.ts';

export const crypto = nodeCrypto;

/** One peer with a log and a receipt book; the same `store` and seed open it again. */
export interface LedgerWorld extends MemoryWorld {
  readonly ledger: OwnLedger;
  readonly book: ReceiptBook;
  readonly room: Store;
}

export async function ledgerWorld(
  seed: number,
  options: { readonly store?: MemoryWorld['store']; readonly clock?: ManualClock } = {},
): Promise<LedgerWorld> {
  const world = memoryWorld({ seed, crypto, ...options });
  const room = world.store.room('ledger');
  const ledger = await openLedger({ ...world, store: room });
  return { ...world, room, ledger, book: createReceiptBook({ ...world, store: world.store.room('receipts'), ledger }) };
}

export const note = (text: string): EntryBody => ({ kind: 'note', body: utf8(text) });
export const notes = (count: number, from = 0): EntryBody[] =>
  Array.from({ length: count }, (_, index) => note(`note ${from + index}`));

export async function rowsOf(store: Store): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of store.range('', '\u{10ffff}')) rows.push(row);
  return rows;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The value with one bit turned over. */
export function flipped(value: Uint8Array, place: number, mask = 1): Uint8Array {
  const copy = value.slice();
  copy[place] = (copy[place] ?? 0) ^ mask;
  return copy;
}
