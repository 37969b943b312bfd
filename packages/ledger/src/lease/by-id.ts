import { PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

/** Leases of a book as they lie on disk, oldest first. */
export async function byId<T extends { readonly id: string; readonly sinceMs: number }>(
  rows: AsyncIterable<T>,
): Promise<Map<string, T>> {
  const found: T[] = [];
  for await (const record of rows) found.push(record);
  return new Map(found.toSorted((a, b) => a.sinceMs - b.sinceMs).map((record) => [record.id, record]));
}

/** Throws NOT_FOUND. */
export function leaseIn<T>(records: ReadonlyMap<string, T>, id: string): T {
  const record = records.get(id);
  if (record === undefined) throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'there is no such lease here');
  return record;
}
