import { type EntryBody, nobleCrypto, sealSigned, signSuccession, wire } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import {
  countersign,
  encodeTrainingCommit,
  encodeTrainingReveal,
  encodeTrainingRound,
  issueReceipt,
  receiptEntry,
  trainingCommitKind,
  trainingRevealKind,
  trainingRoundKind,
  updateCommitment,
} from '@peerai/ledger';
import { createSettlementKey, settlementKeyEntry, stateSettlementKey } from '@peerai/ledger/evm';
import {
  acceptLease,
  countersignLeaseReceipt,
  issueLeaseReceipt,
  leaseDue,
  leaseEntry,
  leaseReceiptEntry,
  type LeaseTerms,
  offerLease,
  openLease,
} from '@peerai/ledger/lease';
import {
  acceptMetered,
  agreeToEnd,
  countersignStorage,
  issueStorageReceipt,
  leaseEndEntry,
  meteredDue,
  meteredLeaseEntry,
  type MeteredTerms,
  offerMetered,
  openMetered,
  signEnd,
  storageReceiptEntry,
} from '@peerai/ledger/market';
import {
  capsuleEntry,
  checkpointEntry,
  decisionEntry,
  keptBeforeEntry,
  keyEntry,
  messageEntry,
} from '@peerai/peer/entries';

const worldOf = (seed: number) => memoryWorld({ seed, crypto: nobleCrypto });
export const own = worldOf(7);
const [other, next] = [worldOf(8), worldOf(9)];
const hash = (mark: number): Uint8Array => new Uint8Array(32).fill(mark);
const hex = (pair: string): string => pair.repeat(32);
const nonce = new Uint8Array(16).fill(7);
const between = { version: 1, lender: other.identity.peer, borrower: own.identity.peer } as const;

/** One entry of each kind that a peer writes, every body signed by whom it says. */
export const everyKind: readonly EntryBody[] = [
  answered(),
  ...trained(),
  keptBeforeEntry([hash(18), hash(19)]),
  messageEntry('sent', hash(3)),
  messageEntry('received', hash(4)),
  capsuleEntry({
    capsule: hex('c1'),
    author: other.identity.peer,
    bytes: 2_400,
    level: 'public',
    parents: [hex('c0')],
  }),
  decisionEntry({ group: hex('ab'), height: 12, block: hex('cd') }),
  checkpointEntry({ origin: other.identity.peer, size: 260n, root: hash(6) }),
  ...nodesLeased(),
  ...modelLeased(),
  ...storageLeased(),
  settlementKeyEntry(stateSettlementKey(own, createSettlementKey(own.random), 1_000)),
  keyEntry(signSuccession(own.identity, next.identity, { statedMs: 1_000, graceUntilMs: 2_000 })),
];

function answered(): EntryBody {
  const about = { lease: nonce, requestId: 'r1', model: 'mistral', workHash: hash(1) };
  const usage = { promptTokens: 120, answerTokens: 380 };
  const half = issueReceipt(other, undefined, { ...about, consumer: own.identity.peer, usage });
  const asked = { ...about, provider: other.identity.peer, promptTokensMax: 200, answerTokensMax: 500 };
  return receiptEntry(countersign(own, half, undefined, asked));
}

/** A round whose first commitment was never revealed: its program began again. */
function trained(): EntryBody[] {
  const [run, base, salt, former] = [hash(11), hash(12), hash(16), hash(17)];
  const { bytes, message, uint32 } = wire;
  const form = message({ run: bytes(1), round: uint32(3), base: bytes(4), update: bytes(5) });
  const said = form.encode({ run, round: 4, base, update: hash(15) });
  const receipt = sealSigned(own.identity, 'peerai/train/1 update', said);
  const commitment = updateCommitment(nobleCrypto, salt, receipt);
  const result = { run, round: 4, before: base, after: hash(13), receipts: hash(14), counted: 3, refused: 1 };
  return [
    { kind: trainingCommitKind, body: encodeTrainingCommit({ run, round: 4, base, commitment: former }) },
    { kind: trainingCommitKind, body: encodeTrainingCommit({ run, round: 4, base, commitment, instead: former }) },
    { kind: trainingRevealKind, body: encodeTrainingReveal({ salt, receipt }) },
    { kind: trainingRoundKind, body: encodeTrainingRound({ ...result, own: receipt }) },
  ];
}

function nodesLeased(): EntryBody[] {
  const terms: LeaseTerms = { ...between, nodes: 8, minutes: 90, price: 6_000_000n, startMs: 1_000, nonce };
  const full = acceptLease(other, offerLease(own, terms));
  const { id: lease } = openLease(nobleCrypto, full);
  const heldMs = 45 * 60_000;
  const worked = { lease, steps: 4, bytesIn: 64, bytesOut: 256, workHash: hash(2) };
  const due = leaseDue(terms, heldMs);
  const half = issueLeaseReceipt(other, {
    ...between,
    ...worked,
    n: 1,
    busyMs: 3,
    heldMs,
    due,
    stateHash: hash(1),
    timeMs: 9,
  });
  const receipt = countersignLeaseReceipt(own, half, { ...worked, terms, previous: undefined, elapsedMs: heldMs });
  return [leaseEntry(full), leaseReceiptEntry(receipt)];
}

function metered(terms: MeteredTerms): { readonly full: Uint8Array; readonly lease: Uint8Array } {
  const full = acceptMetered(other, offerMetered(own, terms));
  return { full, lease: openMetered(nobleCrypto, full).id };
}

function modelLeased(): EntryBody[] {
  const model = { resource: 'model', subject: 'mistral', unitPrice: 250_000n, unitsMax: 20_000 } as const;
  const { full, lease } = metered({ ...between, ...model, minutes: 60, startMs: 1_000, nonce });
  const [by, at] = [own.identity.peer, other.identity.peer];
  const half = signEnd(own, { version: 1, lease, by, other: at, outcome: 'settled', n: 3, due: 1_250_000n, timeMs: 9 });
  return [meteredLeaseEntry(full), leaseEndEntry(agreeToEnd(other, half))];
}

function storageLeased(): EntryBody[] {
  const room = { resource: 'storage', subject: '', unitPrice: 1_000n, unitsMax: 50_000_000 } as const;
  const terms: MeteredTerms = { ...between, ...room, minutes: 1_440, startMs: 1_000, nonce };
  const { full, lease } = metered(terms);
  const [heldBytes, elapsedMs, proof] = [6_200_000, 3_600_000, hash(5)];
  const byteMs = BigInt(heldBytes) * BigInt(elapsedMs);
  const held = { lease, heldBytes, proof };
  const half = issueStorageReceipt(other, {
    ...between,
    ...held,
    n: 1,
    byteMs,
    due: meteredDue(terms, byteMs),
    timeMs: 9,
  });
  const receipt = countersignStorage(own, half, { ...held, terms, previous: undefined, elapsedMs });
  return [meteredLeaseEntry(full), storageReceiptEntry(receipt)];
}
