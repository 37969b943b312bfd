import { type CryptoProvider, toHex } from '@peerai/core-protocol';
import { decodeTrainingRound, type NumberedEntry, receiptKind, trainingRoundKind } from '@peerai/ledger';
import { openedView } from './books.ts';
import { capsuleKind, readCapsuleEntry } from './capsule-statement.ts';
import type { LedgerEntryView } from './ledger.schema.ts';
import { messageKind, readMessageEntry } from './message-statement.ts';

/** An entry for people; its receipt's signatures are checked. */
export function entryView(crypto: CryptoProvider, { index, entry, hash }: NumberedEntry): LedgerEntryView {
  return {
    index: Number(index),
    kind: entry.kind,
    timeMs: entry.timeMs,
    hash: toHex(hash),
    previous: toHex(entry.previous),
    ...(entry.kind === receiptKind ? { receipt: openedView(crypto, entry.body) } : {}),
    ...(entry.kind === trainingRoundKind ? { training: roundView(crypto, entry.body) } : {}),
    ...(entry.kind === messageKind ? { message: messageView(entry.body) } : {}),
    ...(entry.kind === capsuleKind ? { capsule: capsuleView(entry.body) } : {}),
  };
}

function messageView(body: Uint8Array): NonNullable<LedgerEntryView['message']> {
  const { direction, hash } = readMessageEntry(body);
  return { direction, hash: toHex(hash) };
}

function capsuleView(body: Uint8Array): NonNullable<LedgerEntryView['capsule']> {
  const { parents, ...said } = readCapsuleEntry(body);
  return { ...said, parents: [...parents] };
}

function roundView(crypto: CryptoProvider, body: Uint8Array): LedgerEntryView['training'] {
  const { run, round, before, after, receipts, counted, refused, own } = decodeTrainingRound(body);
  return {
    run: toHex(run),
    round,
    before: toHex(before),
    after: toHex(after),
    receipts: toHex(receipts),
    counted,
    refused,
    own: own === undefined ? null : toHex(crypto.sha256(own)),
  };
}
