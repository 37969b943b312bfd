import { type CryptoProvider, PeerAiError, toHex } from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { MessageView } from '../messages/messages.schema.ts';
import type { MessageCheckView } from './ledger.schema.ts';
import { messageHash, messageKind, readMessageEntry } from './message-statement.ts';

/** Compares the messages that are kept to read with what the log says was received. Throws LEDGER_DAMAGED, ABORTED. */
export async function checkMessages(
  { crypto, ledger }: { readonly crypto: CryptoProvider; readonly ledger: OwnLedger },
  messages: readonly MessageView[],
  signal: AbortSignal,
): Promise<MessageCheckView> {
  const stated = new Set<string>();
  let sent = 0;
  let sinceMs: number | undefined;
  for await (const { index, entry } of ledger.entries(0n, ledger.size)) {
    if (signal.aborted) throw new PeerAiError('ABORTED', 'the check was ended');
    if (entry.kind !== messageKind) continue;
    const { direction, hash } = readMessageEntry(entry.body);
    if (hash.length !== 32) throw new PeerAiError('INVALID_FORMAT', `entry ${index} has no hash`);
    sinceMs ??= entry.timeMs;
    if (direction === 'sent') sent += 1;
    else stated.add(toHex(hash));
  }
  const received = stated.size;
  const missing: string[] = [];
  let older = 0;
  for (const { id, from, kind, payload, sentMs } of messages) {
    const facts = { id, from, to: ledger.origin, kind, payload };
    if (stated.delete(toHex(messageHash(crypto, facts)))) continue;
    if (sinceMs === undefined || sentMs < sinceMs) older += 1;
    else missing.push(id);
  }
  return {
    v: 1,
    ok: missing.length === 0,
    kept: messages.length,
    received,
    sent,
    missing,
    older,
    notKept: stated.size,
  };
}
