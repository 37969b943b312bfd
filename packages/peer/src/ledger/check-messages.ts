import { type CryptoProvider, PeerAiError, type Store, toHex } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import { limits } from '../limits.ts';
import { messageKinds } from '../messages/messages.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import { records } from '../store/records.ts';
import { keptBeforeKind, readKeptBeforeEntry } from './kept-before-statement.ts';
import type { MessageCheckView } from './ledger.schema.ts';
import { messageHash, messageKind, readMessageEntry } from './message-statement.ts';

/**
 * Compares the messages that are kept to read with what the log says was received. Nothing that a message says of itself excuses it: one from before
 * the log's first word on messages has to be in the list with which that log begins. Throws LEDGER_DAMAGED, ABORTED.
 *
 * @param rows - all that is kept, of every kind; read before this is called, so that what was due then is in the log or still due.
 */
export async function checkMessages(
  { crypto, ledger, store }: { readonly crypto: CryptoProvider; readonly ledger: OwnLedger; readonly store: Store },
  rows: readonly MessageView[],
  signal: AbortSignal,
): Promise<MessageCheckView> {
  const messages = rows.filter(({ kind }) => messageKinds.some((one) => one === kind));
  /** Taken a moment ago: its entry is promised by the commit that took it, and is not an entry yet. */
  const due = new Set<string>();
  for await (const [, { hash }] of records<{ readonly hash: string }>(store.room('statements'), 'due').all())
    due.add(hash);
  /** Places of the entries, by the hash of what they state. */
  const stated = new Map<string, number>();
  const before = new Map<string, number>();
  let sent = 0;
  for await (const { index, entry } of ledger.entries(0n, ledger.size)) {
    if (signal.aborted) throw new PeerAiError('ABORTED', 'the check was ended');
    const place = Number(index);
    // Only the log's first word on messages can say what was there before it.
    if (entry.kind === keptBeforeKind && before.size + stated.size + sent === 0)
      for (const hash of readKeptBeforeEntry(entry.body)) before.set(toHex(hash), place);
    if (entry.kind !== messageKind) continue;
    const { direction, hash } = readMessageEntry(entry.body);
    if (hash.length !== 32) throw new PeerAiError('INVALID_FORMAT', `entry ${index} has no hash`);
    if (direction === 'sent') sent += 1;
    else stated.set(toHex(hash), place);
  }
  const received = stated.size;
  const missing: string[] = [];
  let older = 0;
  for (const { id, from, kind, payload } of messages) {
    const hash = toHex(messageHash(crypto, { id, from, to: ledger.origin, kind, payload }));
    const wasBefore = before.delete(hash);
    if (stated.delete(hash) || due.has(hash)) continue;
    if (wasBefore) older += 1;
    else missing.push(id);
  }
  const gone = [...before.values(), ...stated.values()];
  // Messages make room for newer ones only where all places are taken: while there are free ones, what is gone was taken away.
  const dropped = rows.length < limits.inboxMessagesMax ? gone.toSorted((a, b) => a - b) : [];
  return {
    v: 1,
    ok: missing.length === 0 && dropped.length === 0,
    kept: messages.length,
    received,
    sent,
    missing,
    older,
    notKept: gone.length,
    dropped,
  };
}
