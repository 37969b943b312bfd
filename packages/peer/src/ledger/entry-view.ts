import { type CryptoProvider, PeerAiError, toHex } from '@peerai/core-protocol';
import {
  decodeTrainingCommit,
  decodeTrainingReveal,
  decodeTrainingRound,
  type NumberedEntry,
  openRevealed,
  receiptKind,
  trainingCommitKind,
  trainingRevealKind,
  trainingRoundKind,
  updateCommitment,
} from '@peerai/ledger';
import { openedView } from './books.ts';
import { capsuleKind, readCapsuleEntry } from './capsule-statement.ts';
import { checkpointKind, readCheckpointEntry } from './checkpoint-statement.ts';
import { decisionKind, readDecisionEntry } from './decision-statement.ts';
import { keptBeforeKind, readKeptBeforeEntry } from './kept-before-statement.ts';
import { keyKind, readKeyEntry } from './key-statement.ts';
import { leaseEntryView } from './lease-entry-view.ts';
import type { LedgerEntryView } from './ledger.schema.ts';
import { messageKind, readMessageEntry } from './message-statement.ts';

/** An entry for people; the signatures in it are checked. Of a commitment, reveal, list of messages, capsule, key, decision, checkpoint or lease that another peer wrote down wrongly, the kind alone is shown. */
export function entryView(crypto: CryptoProvider, { index, entry, hash }: NumberedEntry): LedgerEntryView {
  return {
    index: Number(index),
    kind: entry.kind,
    timeMs: entry.timeMs,
    hash: toHex(hash),
    previous: toHex(entry.previous),
    ...(entry.kind === receiptKind ? { receipt: openedView(crypto, entry.body) } : {}),
    ...(entry.kind === trainingRoundKind ? { training: roundView(crypto, entry.body) } : {}),
    ...(entry.kind === trainingCommitKind ? readable(() => ({ trainingClaim: commitView(entry.body) })) : {}),
    ...(entry.kind === trainingRevealKind ? readable(() => ({ trainingClaim: revealView(crypto, entry.body) })) : {}),
    ...(entry.kind === messageKind ? { message: messageView(entry.body) } : {}),
    ...(entry.kind === keptBeforeKind
      ? readable(() => ({ messagesBefore: readKeptBeforeEntry(entry.body).length }))
      : {}),
    ...(entry.kind === capsuleKind ? readable(() => ({ capsule: capsuleView(entry.body) })) : {}),
    ...(entry.kind === decisionKind ? readable(() => ({ decision: readDecisionEntry(entry.body) })) : {}),
    ...(entry.kind === checkpointKind ? readable(() => ({ checkpoint: readCheckpointEntry(entry.body) })) : {}),
    ...readable(() => leaseOf(crypto, entry)),
    ...(entry.kind === keyKind ? readable(() => ({ key: readKeyEntry(crypto, entry.body, entry.origin) })) : {}),
  };
}

function leaseOf(crypto: CryptoProvider, { kind, body }: NumberedEntry['entry']): Pick<LedgerEntryView, 'lease'> {
  const lease = leaseEntryView(crypto, kind, body);
  return lease === undefined ? {} : { lease };
}

function readable<T extends object>(read: () => T): Partial<T> {
  try {
    return read();
  } catch (error) {
    if (PeerAiError.is(error)) return {};
    throw error;
  }
}

function messageView(body: Uint8Array): NonNullable<LedgerEntryView['message']> {
  const { direction, hash } = readMessageEntry(body);
  return { direction, hash: toHex(hash) };
}

function capsuleView(body: Uint8Array): NonNullable<LedgerEntryView['capsule']> {
  const { parents, ...said } = readCapsuleEntry(body);
  return { ...said, parents: [...parents] };
}

function commitView(body: Uint8Array): LedgerEntryView['trainingClaim'] {
  const { run, round, base, commitment, instead } = decodeTrainingCommit(body);
  return {
    kind: 'commit',
    run: toHex(run),
    round,
    base: toHex(base),
    commitment: toHex(commitment),
    instead: instead === undefined ? null : toHex(instead),
  };
}

function revealView(crypto: CryptoProvider, body: Uint8Array): LedgerEntryView['trainingClaim'] {
  const { salt, receipt } = decodeTrainingReveal(body);
  const { run, round, update } = openRevealed(crypto, receipt);
  const commitment = toHex(updateCommitment(crypto, salt, receipt));
  return { kind: 'reveal', run: toHex(run), round, update: toHex(update), commitment };
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
