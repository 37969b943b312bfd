import { type CryptoProvider, type EntryBody, PeerAiError, toHex } from '@peerai/core-protocol';
import { type LeaseReceipt, leaseReceiptKind, openLeaseReceipt } from '../lease/receipt.ts';
import { readTwice } from '../lease/signed-twice.ts';
import { leaseKind, type LeaseTerms, openLease } from '../lease/terms.ts';
import { openReceipt, receiptKind, type UsageReceipt } from '../receipt/receipt.ts';
import { leaseEndKind, type OpenedEnd, openEnd } from './end.ts';
import { marketLimits as limits } from './limits.ts';
import { openPoints, pointsKind, type PointsMove } from './points.ts';
import { falseAnswerKind, openFalseAnswer, type StorageAnswer } from './storage-answer.ts';
import { openRefusedReceipt, refusedReceiptKind, type SignedByLender } from './refused-receipt.ts';
import { openStorageReceipt, type StorageReceipt, storageReceiptKind } from './storage.ts';
import { meteredLeaseKind, type MeteredTerms, openMetered } from './terms.ts';

/** A place in a chain with what was signed for it; two bodies in one place are proof that both sides signed twice. */
export interface Placed<T> {
  readonly n: number;
  readonly value: T;
  /** Hex of the body's hash. */
  readonly hash: string;
}
export type LeaseDocument =
  | { readonly kind: 'node'; readonly terms: LeaseTerms }
  | { readonly kind: 'metered'; readonly terms: MeteredTerms };
export type AnyReceipt = LeaseReceipt | UsageReceipt | StorageReceipt;

/** Documents by what they are about, each once, every signature checked. */
export interface Collected {
  /** By the lease's id in hex. */
  readonly leases: ReadonlyMap<string, LeaseDocument>;
  readonly receipts: ReadonlyMap<string, readonly Placed<AnyReceipt>[]>;
  readonly ends: ReadonlyMap<string, readonly OpenedEnd[]>;
  /** Answers to challenges of stored bytes that are false by their lender's own signature. */
  readonly falseAnswers: ReadonlyMap<string, readonly StorageAnswer[]>;
  /** Receipts that their borrower would not sign, with their lender's signature. */
  readonly halves: ReadonlyMap<string, readonly SignedByLender[]>;
  readonly moves: readonly Placed<PointsMove>[];
  readonly refused: readonly RefusedDocument[];
}
export interface RefusedDocument {
  readonly kind: string;
  /** Hex SHA-256 of the document. */
  readonly hash: string;
  readonly code: string;
}

/** Throws LIMIT_EXCEEDED for too many. Kinds that are not the market's are passed over. */
export function collect(crypto: CryptoProvider, documents: Iterable<EntryBody>): Collected {
  const leases = new Map<string, LeaseDocument>();
  const receipts = new Map<string, Placed<AnyReceipt>[]>();
  const ends = new Map<string, OpenedEnd[]>();
  const falseAnswers = new Map<string, StorageAnswer[]>();
  const halves = new Map<string, SignedByLender[]>();
  const moves: Placed<PointsMove>[] = [];
  const refused: RefusedDocument[] = [];
  const seen = new Set<string>();
  const bodies = new Set<string>();
  /** A receipt by what both signed: another signature under the same bytes is the same receipt. */
  const place = (value: AnyReceipt, body: Uint8Array): void => {
    const lease = toHex(value.lease);
    const hash = toHex(crypto.sha256(body));
    if (bodies.has(hash)) return;
    bodies.add(hash);
    receipts.set(lease, [...(receipts.get(lease) ?? []), { n: value.n, value, hash }]);
  };
  const takers: Readonly<Record<string, (bytes: Uint8Array, hash: string) => void>> = {
    [leaseKind](bytes) {
      const { terms, id, signedBy } = openLease(crypto, bytes);
      needBoth(signedBy);
      leases.set(toHex(id), { kind: 'node', terms });
    },
    [meteredLeaseKind](bytes) {
      const { terms, id, signedBy } = openMetered(crypto, bytes);
      needBoth(signedBy);
      leases.set(toHex(id), { kind: 'metered', terms });
    },
    [leaseReceiptKind](bytes) {
      const { receipt, signedBy } = openLeaseReceipt(crypto, bytes);
      needBoth(signedBy);
      place(receipt, readTwice(bytes, limits.documentBytesMax).body);
    },
    [receiptKind](bytes) {
      const { receipt, body, signedBy } = openReceipt(crypto, bytes);
      needBoth(signedBy);
      place(receipt, body);
    },
    [storageReceiptKind](bytes) {
      const { receipt, signedBy } = openStorageReceipt(crypto, bytes);
      needBoth(signedBy);
      place(receipt, readTwice(bytes, limits.documentBytesMax).body);
    },
    [leaseEndKind](bytes) {
      const opened = openEnd(crypto, bytes);
      const lease = toHex(opened.end.lease);
      ends.set(lease, [...(ends.get(lease) ?? []), opened]);
    },
    [falseAnswerKind](bytes) {
      const answer = openFalseAnswer(crypto, bytes);
      const lease = toHex(answer.lease);
      falseAnswers.set(lease, [...(falseAnswers.get(lease) ?? []), answer]);
    },
    [refusedReceiptKind](bytes) {
      const half = openRefusedReceipt(crypto, bytes);
      const lease = toHex(half.receipt.lease);
      halves.set(lease, [...(halves.get(lease) ?? []), half]);
    },
    [pointsKind](bytes, hash) {
      const value = openPoints(crypto, bytes);
      moves.push({ n: value.n, value, hash });
    },
  };
  let count = 0;
  for (const { kind, body } of documents) {
    const take = Object.hasOwn(takers, kind) ? takers[kind] : undefined;
    if (take === undefined) continue;
    count += 1;
    if (count > limits.replayDocumentsMax)
      throw new PeerAiError('LIMIT_EXCEEDED', `more than ${limits.replayDocumentsMax} documents in one replay`);
    const hash = toHex(crypto.sha256(body));
    if (seen.has(hash)) continue;
    seen.add(hash);
    try {
      take(body, hash);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
      refused.push({ kind, hash, code: error.code });
    }
  }
  return { leases, receipts, ends, falseAnswers, halves, moves, refused };
}

/** Throws INVALID_SIGNATURE: half a document is an offer. */
function needBoth(signedBy: string): void {
  if (signedBy !== 'both') throw new PeerAiError('INVALID_SIGNATURE', 'only one side has signed this');
}

/** The newest place that has one body; `twice` when some place has two. */
export function newestOf<T>(placed: readonly Placed<T>[]): { readonly newest?: Placed<T>; readonly twice: boolean } {
  const byPlace = Map.groupBy(placed, ({ n }) => n);
  const single = [...byPlace.values()].filter(({ length }) => length === 1).flat();
  const newest = single.toSorted((a, b) => b.n - a.n)[0];
  const twice = single.length < placed.length;
  return newest === undefined ? { twice } : { newest, twice };
}
