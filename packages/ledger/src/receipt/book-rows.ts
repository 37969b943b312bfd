import { type Change, type Key, type PeerId, type Row, type Store, toHex } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { decodeParts, readReceipt } from './receipt.ts';

/**
 * How receipts lie in the book's room. `given`: we provided; `taken`: we consumed. A chain is `<other peer>/<lease in hex>`.
 * `given/<chain>` and `taken/<chain>` the newest receipt · `open/<chain>/<n>` given, not yet in the log · `kept/<side>/<chain>/<n>` the last
 * few full ones, so that a repeated half or a repeated countersignature finds its answer.
 */
export type Side = 'given' | 'taken';

export const chainOf = (peer: PeerId, lease: Uint8Array): string => `${peer}/${toHex(lease)}`;
const place = (n: number): string => n.toString(16).padStart(14, '0');

export const newestKey = (side: Side, chain: string): Key => `${side}/${chain}`;
export const openKey = (chain: string, n: number): Key => `open/${chain}/${place(n)}`;
export const keptKey = (side: Side, chain: string, n: number): Key => `kept/${side}/${chain}/${place(n)}`;

/** `0` is the character after `/`: these bounds hold every key that begins with the text. */
const under = (prefix: string): readonly [Key, Key] => [`${prefix}/`, `${prefix}0`];

async function collect(rows: AsyncIterable<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
}
/** Given receipts of a chain that are not in the log yet, oldest first: halves, and full ones that wait for an earlier half. */
export const openRows = (store: Store, chain: string): Promise<Row[]> =>
  collect(store.range(...under(`open/${chain}`)));
export const newestRows = (store: Store, side: Side): AsyncIterable<Row> => store.range(...under(side));

export const isHalf = (receipt: Uint8Array): boolean => decodeParts(receipt).consumerSignature === undefined;

/** Keeps a full receipt at hand and lets the one go that is too old for that. */
export function keep(store: Store, side: Side, chain: string, full: Uint8Array): Change[] {
  const { n } = readReceipt(full);
  const changes = [store.put(keptKey(side, chain, n), full)];
  if (n > limits.keptReceiptsMax) changes.push(store.put(keptKey(side, chain, n - limits.keptReceiptsMax)));
  return changes;
}
