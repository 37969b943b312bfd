import {
  fromBase64Url,
  fromUtf8,
  type PeerId,
  type Store,
  toBase64Url,
  utf8,
  type Change,
} from '@peerai/core-protocol';
import type { LeaseProgress, LeaseState } from './machine.ts';
import { readLease, type LeaseTerms } from './terms.ts';

/** A lease as one side's book holds it. */
export interface LeaseRecord {
  /** Hex of the lease's id. */
  readonly id: string;
  readonly peer: PeerId;
  readonly terms: LeaseTerms;
  /** The terms with one signature, or both. */
  readonly lease: Uint8Array;
  readonly progress: LeaseProgress;
  /** Lender: the newest receipt it gave, with one signature or both. Borrower: the newest that both signed. */
  readonly receipt: Uint8Array | undefined;
  /** Lender: the newest with both signatures, while `receipt` has one. */
  readonly signed?: Uint8Array | undefined;
  /** The dispute that one of the two has signed. */
  readonly end?: Uint8Array | undefined;
  /** When this side signed the terms, and when it last heard of the lease; its own wall clock. */
  readonly sinceMs: number;
  readonly heardMs: number;
  /** When it stopped being offered or active. */
  readonly endedMs: number | undefined;
}
/** Micro-credits of all leases with one peer, those that are no longer listed included. */
export interface LeaseTotals {
  /** As its borrower, and as its lender; what both sides have of it. */
  readonly paid: bigint;
  readonly earned: bigint;
}

/** `lease/<id>` one lease, as JSON · `total/<peer>` what all leases with a peer came to. */
export interface LeaseRows {
  leases(): AsyncIterable<LeaseRecord>;
  totals(): AsyncIterable<readonly [PeerId, LeaseTotals]>;
  put(record: LeaseRecord): Change;
  remove(id: string): Change;
  putTotals(peer: PeerId, totals: LeaseTotals): Change;
}

interface Stored {
  readonly peer: PeerId;
  readonly lease: string;
  readonly receipt?: string;
  readonly signed?: string;
  readonly end?: string;
  readonly role: LeaseProgress['role'];
  readonly state: LeaseState;
  /** Places and decimal micro-credits: issued, signed, booked. */
  readonly marks: readonly (readonly [number, string])[];
  readonly sinceMs: number;
  readonly heardMs: number;
  readonly endedMs?: number;
}

export function leaseRows(store: Store): LeaseRows {
  return {
    async *leases() {
      for await (const { key, value } of store.range('lease/', 'lease0'))
        yield recordOf(key.slice(6), parse(value) as Stored);
    },
    async *totals() {
      for await (const { key, value } of store.range('total/', 'total0')) {
        const [paid = '0', earned = '0'] = parse(value) as readonly string[];
        yield [key.slice(6) as PeerId, { paid: BigInt(paid), earned: BigInt(earned) }];
      }
    },
    put: (record) => store.put(`lease/${record.id}`, json(storedOf(record))),
    remove: (id) => store.put(`lease/${id}`),
    putTotals: (peer, { paid, earned }) => store.put(`total/${peer}`, json([`${paid}`, `${earned}`])),
  };
}

function storedOf(record: LeaseRecord): Stored {
  const { peer, lease, receipt, signed: both, end, progress, sinceMs, heardMs, endedMs } = record;
  const { role, state, issued, signed, booked } = progress;
  return {
    peer,
    lease: toBase64Url(lease),
    ...(receipt === undefined ? {} : { receipt: toBase64Url(receipt) }),
    ...(both === undefined ? {} : { signed: toBase64Url(both) }),
    ...(end === undefined ? {} : { end: toBase64Url(end) }),
    role,
    state,
    marks: [issued, signed, booked].map(({ n, due }) => [n, `${due}`] as const),
    sinceMs,
    heardMs,
    ...(endedMs === undefined ? {} : { endedMs }),
  };
}

function recordOf(id: string, stored: Stored): LeaseRecord {
  const lease = fromBase64Url(stored.lease);
  const terms = readLease(lease);
  const mark = (place: number) => {
    const [n = 0, due = '0'] = stored.marks[place] ?? [];
    return { n, due: BigInt(due) };
  };
  const { role, state, peer, receipt, signed: both, end, sinceMs, heardMs, endedMs } = stored;
  const marks = { issued: mark(0), signed: mark(1), booked: mark(2) };
  const declared = end === undefined ? {} : { declared: true as const };
  return {
    id,
    peer,
    terms,
    lease,
    progress: { role, state, price: terms.price, ...marks, ...declared },
    receipt: receipt === undefined ? undefined : fromBase64Url(receipt),
    signed: both === undefined ? undefined : fromBase64Url(both),
    end: end === undefined ? undefined : fromBase64Url(end),
    sinceMs,
    heardMs,
    endedMs,
  };
}

const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const parse = (bytes: Uint8Array): unknown => JSON.parse(fromUtf8(bytes));
