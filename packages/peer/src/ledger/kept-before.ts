import { type Change, type CryptoProvider, type EntryBody, PeerAiError, wire } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { limits } from '../limits.ts';
import { messageKinds } from '../messages/messages.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import { messageHash, messageKind } from './message-statement.ts';

/** Kind of an entry that says: these messages were kept here before this log said anything of messages. */
export const keptBeforeKind = 'messages-before';
const body = wire.message({
  version: wire.uint32(1),
  /** 32 bytes each: 1,000 are 34 kB, and an entry's body has 64 KiB. */
  hashes: wire.repeated(wire.bytes(2), limits.inboxMessagesMax),
});

/** Throws LIMIT_EXCEEDED. */
export const keptBeforeEntry = (hashes: readonly Uint8Array[]): EntryBody => ({
  kind: keptBeforeKind,
  body: body.encode({ version: 1, hashes }),
});
/** Throws INVALID_FORMAT, INVALID_VERSION. */
export function readKeptBeforeEntry(bytes: Uint8Array): readonly Uint8Array[] {
  const { version, hashes } = body.decode(bytes);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `entry of messages before, version ${version}`);
  if (hashes.some(({ length }) => length !== 32)) throw new PeerAiError('INVALID_FORMAT', 'a hash has 32 bytes');
  return hashes;
}

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
