import type { Change, CryptoProvider } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { messageKinds } from '../messages/messages.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import { keptBeforeEntry, keptBeforeKind } from './kept-before-statement.ts';
import { messageHash, messageKind } from './message-statement.ts';

/**
 * Begins a log, the first or one after a change of keys, with what is kept already. A list that comes after an entry of a message counts for nothing, so
 * none is written then. Throws what the ledger throws.
 *
 * @returns false where nothing was written, `alongside` neither.
 */
export async function stateKeptBefore(
  {
    crypto,
    ledger,
  }: {
    readonly crypto: Pick<CryptoProvider, 'sha256'>;
    readonly ledger: Pick<OwnLedger, 'append' | 'entries' | 'origin' | 'size'>;
  },
  rows: readonly MessageView[],
  alongside: readonly Change[],
): Promise<boolean> {
  const kept = rows.filter(({ kind }) => messageKinds.some((one) => one === kind));
  if (kept.length === 0) return false;
  for await (const { entry } of ledger.entries(0n, ledger.size))
    if (entry.kind === messageKind || entry.kind === keptBeforeKind) return false;
  const hashes = kept.map((message) => messageHash(crypto, { ...message, to: ledger.origin }));
  await ledger.append([keptBeforeEntry(hashes)], alongside);
  return true;
}
