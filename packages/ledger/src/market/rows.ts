import {
  type Change,
  fromBase64Url,
  fromUtf8,
  type PeerId,
  type Store,
  toBase64Url,
  utf8,
} from '@peerai/core-protocol';
import { meteredPrice, type MeteredTerms, readMetered } from './terms.ts';

/** `offered`: the borrower has signed. `disputed`: one side does not agree; what both signed stands. */
export type MeteredState = 'offered' | 'active' | 'settled' | 'refunded' | 'disputed';
/** A metered lease as one side's book holds it. */
export interface MeteredRecord {
  /** Hex of the lease's id. */
  readonly id: string;
  readonly peer: PeerId;
  readonly role: 'lender' | 'borrower';
  readonly state: MeteredState;
  readonly terms: MeteredTerms;
  /** The most it may cost, micro-credits. */
  readonly price: bigint;
  /** The terms with one signature, or both. */
  readonly lease: Uint8Array;
  /** The newest receipt with both signatures; its place, the units it counts and what is due for them. */
  readonly receipt: Uint8Array | undefined;
  readonly n: number;
  readonly used: bigint;
  readonly due: bigint;
  /** When this side signed the terms, and when the lease ended; its own wall clock. */
  readonly sinceMs: number;
  readonly endedMs: number | undefined;
  /** How it ended, with one signature or both; and whether both. */
  readonly end: Uint8Array | undefined;
  readonly agreed: boolean;
}

/** Micro-credits of leases with one peer that are no longer listed. */
export interface PastTotals {
  readonly paid: bigint;
  readonly earned: bigint;
}
/** `lease/<id>` one lease, as JSON · `past/<peer>` what those came to that are not listed any more. */
export interface MeteredRows {
  leases(): AsyncIterable<MeteredRecord>;
  past(): AsyncIterable<readonly [PeerId, PastTotals]>;
  put(record: MeteredRecord): Change;
  remove(id: string): Change;
  putPast(peer: PeerId, past: PastTotals): Change;
}

interface Stored extends Pick<MeteredRecord, 'peer' | 'role' | 'state' | 'n' | 'sinceMs' | 'agreed'> {
  readonly lease: string;
  readonly receipt?: string;
  readonly end?: string;
  readonly used: string;
  readonly due: string;
  readonly endedMs?: number;
}

export function meteredRows(store: Store): MeteredRows {
  return {
    async *leases() {
      for await (const { key, value } of store.range('lease/', 'lease0'))
        yield recordOf(key.slice(6), JSON.parse(fromUtf8(value)) as Stored);
    },
    async *past() {
      for await (const { key, value } of store.range('past/', 'past0')) {
        const [paid = '0', earned = '0'] = JSON.parse(fromUtf8(value)) as readonly string[];
        yield [key.slice(5) as PeerId, { paid: BigInt(paid), earned: BigInt(earned) }];
      }
    },
    put: (record) => store.put(`lease/${record.id}`, utf8(JSON.stringify(storedOf(record)))),
    remove: (id) => store.put(`lease/${id}`),
    putPast: (peer, { paid, earned }) => store.put(`past/${peer}`, utf8(JSON.stringify([`${paid}`, `${earned}`]))),
  };
}

function storedOf({ peer, role, state, n, sinceMs, agreed, ...rest }: MeteredRecord): Stored {
  const { lease, receipt, end, used, due, endedMs } = rest;
  return {
    peer,
    role,
    state,
    n,
    sinceMs,
    agreed,
    lease: toBase64Url(lease),
    used: `${used}`,
    due: `${due}`,
    ...(receipt === undefined ? {} : { receipt: toBase64Url(receipt) }),
    ...(end === undefined ? {} : { end: toBase64Url(end) }),
    ...(endedMs === undefined ? {} : { endedMs }),
  };
}

function recordOf(id: string, { lease, receipt, end, used, due, endedMs, ...rest }: Stored): MeteredRecord {
  const bytes = fromBase64Url(lease);
  const terms = readMetered(bytes);
  return {
    ...rest,
    id,
    terms,
    price: meteredPrice(terms),
    lease: bytes,
    receipt: receipt === undefined ? undefined : fromBase64Url(receipt),
    end: end === undefined ? undefined : fromBase64Url(end),
    used: BigInt(used),
    due: BigInt(due),
    endedMs,
  };
}
