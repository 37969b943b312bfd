import {
  type Change,
  type Clock,
  type CryptoProvider,
  type EntryBody,
  fromHex,
  type Identity,
  PeerAiError,
  type PeerId,
  type Random,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { leaseEndEntry, openEnd, signEnd } from '../market/end.ts';
import type { OwnLedger } from '../log/open.ts';
import { createLocks } from '../receipt/locks.ts';
import { byId, leaseIn } from './by-id.ts';
import { leaseLimits as limits } from './limits.ts';
import { amountsOf, leased, type LeaseEvent, type LeaseProgress, offered, stepLease } from './machine.ts';
import {
  countersignLeaseReceipt,
  type ExpectedUsage,
  issueLeaseReceipt,
  leaseReceiptEntry,
  type LeaseUsage,
  openLeaseReceipt,
  readLeaseReceipt,
} from './receipt.ts';
import { type LeaseRecord, leaseRows, type LeaseTotals } from './rows.ts';
import {
  acceptLease,
  leaseDue,
  leaseEntry,
  leaseIdOf,
  leaseMs,
  type LeaseTerms,
  offerLease,
  openLease,
} from './terms.ts';

export interface LeaseBookDeps {
  /** A room of its own, in the same file as the ledger's. */
  readonly store: Store;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** What else there is with this peer, leases of other things: one limit holds for everything. */
  readonly besides?: (peer: PeerId) => LeaseAccount;
}
/** Micro-credits between this peer and another. */
export interface LeaseAccount extends LeaseTotals {
  /** May still become due, as its borrower and as its lender. */
  readonly lockedByUs: bigint;
  readonly lockedByThem: bigint;
}
type Alongside = (signed: Uint8Array, id: string) => readonly Change[];

/**
 * The leases this peer gives and takes. Each method has written what it did when it resolves, `alongside` in the same commit; leases that began and
 * receipts that ended one are in the log. What is repeated changes nothing.
 */
export interface LeaseBook {
  /** Borrower: signs terms and locks their price. Throws CREDIT_EXCEEDED, LIMIT_REACHED, LIMIT_EXCEEDED, INVALID_FORMAT. */
  offer(wish: Pick<LeaseTerms, 'lender' | 'nodes' | 'minutes' | 'price'>, alongside?: Alongside): Promise<LeaseRecord>;
  /** Borrower: takes the lender's signature. Throws INVALID_SIGNATURE, INVALID_FORMAT, NOT_FOUND, LEASE_STATE when it was given up meanwhile. */
  accepted(full: Uint8Array): Promise<LeaseRecord>;
  /** Lender: signs what was offered, once. Throws CLOCK_SKEW, CREDIT_EXCEEDED, LIMIT_REACHED, LEASE_STATE, and what `openLease` throws. */
  accept(half: Uint8Array): Promise<LeaseRecord>;
  /** Lender: the receipt of one more run. Throws LEASE_STATE, also while the last one is not signed; NOT_FOUND. */
  issue(id: string, usage: LeaseUsage, alongside?: Alongside): Promise<LeaseRecord>;
  /** Borrower: signs the receipt of a run. Throws RECEIPT_WRONG, LEASE_STATE, NOT_FOUND, what `openLeaseReceipt` throws. */
  countersign(
    id: string,
    half: Uint8Array,
    expected: Pick<ExpectedUsage, 'steps' | 'bytesIn' | 'bytesOut' | 'workHash'>,
    alongside?: Alongside,
  ): Promise<LeaseRecord>;
  /** Lender: takes a receipt with both signatures. Throws RECEIPT_WRONG, NOT_FOUND, what `openLeaseReceipt` throws. */
  complete(id: string, full: Uint8Array): Promise<LeaseRecord>;
  /** Borrower: the lender says that it has the receipt of so many runs. */
  booked(id: string, n: number): Promise<LeaseRecord>;
  /** Gives the nodes back, and what is not used. Throws NOT_FOUND. */
  end(id: string): Promise<LeaseRecord>;
  /** Lender: the borrower has said its last word. */
  close(id: string): Promise<LeaseRecord>;
  dispute(id: string): Promise<LeaseRecord>;
  /** Disputes with a signature, also what is disputed without one. @param evidence - SHA-256 of the file. Throws NOT_FOUND, LEASE_STATE. */
  declare(id: string, evidence: Uint8Array): Promise<LeaseRecord>;
  /** The other side's signed dispute. Throws NOT_FOUND, INVALID_FORMAT, LEASE_STATE, and what `openEnd` throws. */
  declared(end: Uint8Array): Promise<LeaseRecord>;
  get(id: string): LeaseRecord | undefined;
  /** Oldest first. */
  list(): readonly LeaseRecord[];
  account(peer: PeerId): LeaseAccount;
}

/** Still between the two sides. */
export const isOpen = ({ progress: { state } }: Pick<LeaseRecord, 'progress'>): boolean =>
  state === 'offered' || state === 'active' || state === 'closing';

/** Throws INVALID_FORMAT for damaged rows, and what the store throws. */
export async function openLeaseBook(deps: LeaseBookDeps): Promise<LeaseBook> {
  const { store, ledger, identity, crypto, clock } = deps;
  const rows = leaseRows(store);
  const locks = createLocks();
  const records = await byId(rows.leases());
  const totals = new Map<PeerId, LeaseTotals>();
  for await (const [peer, one] of rows.totals()) totals.set(peer, one);

  const find = (id: string): LeaseRecord => leaseIn(records, id);
  /** One commit: the lease, what all with its peer came to, an entry where there is one, and the caller's own rows. */
  const keep = async (
    record: LeaseRecord,
    entries: readonly EntryBody[],
    more: readonly Change[],
  ): Promise<LeaseRecord> => {
    const total = totalsWith(totals.get(record.peer), records.get(record.id)?.progress, record.progress);
    const gone = isOpen(record) ? [] : surplus(records, record.id);
    const removed = gone.map((id) => rows.remove(id));
    const changes = [rows.put(record), rows.putTotals(record.peer, total), ...removed, ...more];
    if (entries.length === 0) await store.commit(changes);
    else await ledger.append(entries, changes);
    records.set(record.id, record);
    totals.set(record.peer, total);
    for (const id of gone) records.delete(id);
    return record;
  };
  /** The lease after an event. Its last receipt goes into the log when it is over. */
  const step = async (
    record: LeaseRecord,
    event: LeaseEvent,
    receipt = record.receipt,
    more: readonly Change[] = [],
  ): Promise<LeaseRecord> => {
    const progress = stepLease(record.progress, event);
    if (progress === record.progress) return record;
    const nowMs = clock.nowMs();
    const isEnded = progress.state !== 'offered' && progress.state !== 'active';
    const endedMs = record.endedMs ?? (isEnded ? nowMs : undefined);
    const next = { ...record, progress, receipt, heardMs: nowMs, endedMs };
    return keep(next, entriesOf(record, next), more);
  };
  /** Signed by one of the two: what both signed last stands, and the rest is no longer locked. */
  const declareWith = async (record: LeaseRecord, end: Uint8Array): Promise<LeaseRecord> => {
    const progress = stepLease(record.progress, { type: 'declared' });
    if (progress === record.progress) return record;
    const nowMs = clock.nowMs();
    const next = { ...record, progress, end, heardMs: nowMs, endedMs: record.endedMs ?? nowMs };
    return keep(next, [...entriesOf(record, next), leaseEndEntry(end)], []);
  };
  const change = (id: string, event: LeaseEvent): Promise<LeaseRecord> =>
    locks.run('book', () => step(find(id), event));
  const account = (peer: PeerId): LeaseAccount => accountOf(records, totals.get(peer), peer);
  const admit = (peer: PeerId, role: LeaseProgress['role'], price: bigint): void => {
    const open = [...records.values()].filter(isOpen).length;
    if (open >= limits.openMax)
      throw new PeerAiError<LedgerErrorCode>('LIMIT_REACHED', `${open} leases of this peer are open`);
    const both = [account(peer), ...(deps.besides === undefined ? [] : [deps.besides(peer)])];
    const owed = both.map(({ paid, earned, lockedByUs, lockedByThem }) =>
      role === 'borrower' ? paid - earned + lockedByUs : earned - paid + lockedByThem,
    );
    const exposure = owed.reduce((sum, one) => sum + one, 0n);
    if (exposure + price <= limits.exposureMicroMax) return;
    throw new PeerAiError<LedgerErrorCode>('CREDIT_EXCEEDED', 'one of the two peers would owe the other too much', {
      owedMicro: `${exposure}`,
      priceMicro: `${price}`,
      mostMicro: `${limits.exposureMicroMax}`,
    });
  };
  const fresh = (
    peer: PeerId,
    id: string,
    lease: Uint8Array,
    terms: LeaseTerms,
    progress: LeaseProgress,
  ): LeaseRecord => {
    const nowMs = clock.nowMs();
    return { id, peer, terms, lease, progress, receipt: undefined, sinceMs: nowMs, heardMs: nowMs, endedMs: undefined };
  };
  return {
    offer: (wish, alongside = () => []) =>
      locks.run('book', async () => {
        admit(wish.lender, 'borrower', wish.price);
        const startMs = Math.max(0, Math.trunc(clock.nowMs()));
        const nonce = deps.random.bytes(limits.nonceBytes);
        const terms: LeaseTerms = { version: 1, ...wish, borrower: identity.peer, startMs, nonce };
        const half = offerLease(deps, terms);
        const id = toHex(leaseIdOf(crypto, half));
        return keep(fresh(wish.lender, id, half, terms, offered(wish.price)), [], alongside(half, id));
      }),
    accepted: (full) =>
      locks.run('book', async () => {
        const { id, signedBy } = openLease(crypto, full);
        const record = find(toHex(id));
        if (signedBy !== 'both')
          throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the lender has not signed this lease');
        const progress = stepLease(record.progress, { type: 'accepted' });
        if (progress === record.progress) return record;
        return keep({ ...record, lease: full, progress, heardMs: clock.nowMs() }, [leaseEntry(full)], []);
      }),
    accept: (half) =>
      locks.run('book', async () => {
        const { terms, id: hash } = openLease(crypto, half);
        const id = toHex(hash);
        const before = records.get(id);
        if (before !== undefined) {
          if (before.progress.role === 'lender' && before.progress.state === 'active') return before;
          throw new PeerAiError<LedgerErrorCode>('LEASE_STATE', 'this lease is over', { state: before.progress.state });
        }
        if (Math.abs(clock.nowMs() - terms.startMs) > limits.startSkewMs)
          throw new PeerAiError<LedgerErrorCode>('CLOCK_SKEW', 'this lease begins at another time than now');
        const full = acceptLease(deps, half);
        admit(terms.borrower, 'lender', terms.price);
        return keep(fresh(terms.borrower, id, full, terms, leased(terms.price)), [leaseEntry(full)], []);
      }),
    issue: (id, usage, alongside = () => []) =>
      locks.run('book', async () => {
        const record = find(id);
        const { terms, progress, sinceMs } = record;
        const nowMs = Math.max(0, Math.trunc(clock.nowMs()));
        const last = record.receipt === undefined ? undefined : readLeaseReceipt(record.receipt);
        const heldMs = Math.min(leaseMs(terms), Math.max(last?.heldMs ?? 0, Math.ceil(nowMs - sinceMs), 0));
        const mark = { n: progress.issued.n + 1, due: leaseDue(terms, heldMs) };
        const { lender, borrower } = terms;
        const half = issueLeaseReceipt(deps, {
          ...usage,
          version: 1,
          lease: leaseIdOf(crypto, record.lease),
          lender,
          borrower,
          ...mark,
          heldMs,
          busyMs: Math.min(usage.busyMs, heldMs),
          timeMs: nowMs,
        });
        return step(
          { ...record, signed: signedReceipt(record) },
          { type: 'issued', ...mark },
          half,
          alongside(half, id),
        );
      }),
    countersign: (id, half, expected, alongside = () => []) =>
      locks.run('book', async () => {
        const record = find(id);
        const { terms, receipt, sinceMs } = record;
        const full = countersignLeaseReceipt(deps, half, {
          ...expected,
          lease: leaseIdOf(crypto, record.lease),
          terms,
          previous: receipt === undefined ? undefined : readLeaseReceipt(receipt),
          elapsedMs: clock.nowMs() - sinceMs,
        });
        const { n, due } = readLeaseReceipt(full);
        return step(record, { type: 'signed', n, due }, full, alongside(full, id));
      }),
    complete: (id, full) =>
      locks.run('book', async () => {
        const record = find(id);
        const { receipt, signedBy } = openLeaseReceipt(crypto, full);
        const given = record.receipt === undefined ? undefined : readLeaseReceipt(record.receipt);
        if (signedBy !== 'both')
          throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the borrower has not signed this receipt');
        const isOurs = receipt.lender === identity.peer && toHex(receipt.lease) === id;
        if (!isOurs || given === undefined)
          throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'this receipt is of another lease', {
            field: 'lease',
          });
        const isNew = receipt.n > record.progress.signed.n;
        const before = isNew ? { ...record, signed: undefined } : record;
        return step(before, { type: 'signed', n: receipt.n, due: receipt.due }, full);
      }),
    booked: (id, n) =>
      locks.run('book', async () => {
        const record = find(id);
        const { signed, booked } = record.progress;
        // An amount goes with a place: of an earlier one than the newest only that it arrived is of use.
        return n === signed.n
          ? step(record, { type: 'booked', ...signed })
          : step(record, { type: 'booked', ...booked });
      }),
    end: (id) => change(id, { type: 'ended' }),
    close: (id) => change(id, { type: 'closed' }),
    dispute: (id) => change(id, { type: 'disputed' }),
    declare: (id, evidence) =>
      locks.run('book', () => {
        const { peer, progress, ...record } = find(id);
        const who = { version: 1, lease: fromHex(id), by: identity.peer, other: peer } as const;
        const timeMs = Math.max(0, Math.trunc(clock.nowMs()));
        const end = signEnd(deps, { ...who, ...progress.signed, outcome: 'disputed', evidence, timeMs });
        return declareWith({ ...record, peer, progress }, end);
      }),
    declared: (bytes) =>
      locks.run('book', () => {
        const { end } = openEnd(crypto, bytes);
        const record = find(toHex(end.lease));
        if (end.by !== record.peer || end.other !== identity.peer || end.outcome !== 'disputed')
          throw new PeerAiError<LedgerErrorCode>(
            'INVALID_FORMAT',
            'this is no dispute of the other side of this lease',
          );
        return declareWith(record, bytes);
      }),
    get: (id) => records.get(id),
    list: () => [...records.values()],
    account,
  };
}

/** The newest receipt that both signed, as this side has it. */
export const signedReceipt = ({ progress, receipt, signed }: LeaseRecord): Uint8Array | undefined =>
  progress.issued.n > progress.signed.n ? signed : receipt;

/** What goes into the log with a step: the last receipt that both signed, of a lease that ends. */
function entriesOf(before: LeaseRecord, after: LeaseRecord): readonly EntryBody[] {
  const { state } = after.progress;
  const last = signedReceipt(after);
  const isNew = before.progress.state !== 'disputed' || before.progress.signed.n < after.progress.signed.n;
  const isEnd = (state === 'settled' || state === 'disputed') && isNew;
  return isEnd && last !== undefined ? [leaseReceiptEntry(last)] : [];
}

function totalsWith(
  before: LeaseTotals = { paid: 0n, earned: 0n },
  old: LeaseProgress | undefined,
  next: LeaseProgress,
): LeaseTotals {
  const more = amountsOf(next).paid - (old === undefined ? 0n : amountsOf(old).paid);
  return next.role === 'borrower'
    ? { ...before, paid: before.paid + more }
    : { ...before, earned: before.earned + more };
}

function accountOf(
  records: ReadonlyMap<string, LeaseRecord>,
  { paid, earned }: LeaseTotals = { paid: 0n, earned: 0n },
  peer: PeerId,
): LeaseAccount {
  const locked = (role: LeaseProgress['role']): bigint =>
    [...records.values()]
      .filter((record) => record.peer === peer && record.progress.role === role)
      .reduce((sum, { progress }) => sum + amountsOf(progress).locked, 0n);
  return { paid, earned, lockedByUs: locked('borrower'), lockedByThem: locked('lender') };
}

/** Leases that are over and too many to list, oldest first, this one among them now. */
function surplus(records: ReadonlyMap<string, LeaseRecord>, id: string): string[] {
  const over = [...records.values()].filter((record) => record.id !== id && !isOpen(record));
  const extra = over.length + 1 - limits.overKeptMax;
  return over.slice(0, Math.max(0, extra)).map((record) => record.id);
}
