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
import { byId, leaseIn } from '../lease/by-id.ts';
import { leaseLimits } from '../lease/limits.ts';
import type { OwnLedger } from '../log/open.ts';
import type { ReceiptBook } from '../receipt/book.ts';
import { createLocks } from '../receipt/locks.ts';
import { isHalf } from '../receipt/book-rows.ts';
import { readReceipt } from '../receipt/receipt.ts';
import { agreeToEnd, type LeaseEnd, leaseEndEntry, openEnd, signEnd } from './end.ts';
import { type MeteredRecord, meteredRows, type PastTotals } from './rows.ts';
import { admitLease, type Between, tokensOf } from './standing.ts';
import { openStorageReceipt, storageReceiptEntry } from './storage.ts';
import {
  acceptMetered,
  meteredDue,
  meteredLeaseEntry,
  meteredMs,
  meteredPrice,
  type MeteredTerms,
  offerMetered,
  openMetered,
} from './terms.ts';

export interface MeteredBookDeps {
  /** A room of its own, in the same file as the ledger's. */
  readonly store: Store;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly receipts: Pick<ReceiptBook, 'list' | 'unsigned'>;
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** What else there is with this peer, leases of nodes above all: one limit holds for everything. */
  readonly besides?: (peer: PeerId) => Promise<Between>;
}

/**
 * The metered leases this peer gives and takes. Answers are counted in memory, out of receipts that are in the log anyway: nothing is written for one. What
 * begins or ends a lease is on disk, and in the log, when its method resolves. What is repeated changes nothing.
 */
export interface MeteredBook {
  /** Borrower: signs terms and locks their price. Throws CREDIT_EXCEEDED, LIMIT_REACHED, LIMIT_EXCEEDED, INVALID_FORMAT. */
  offer(wish: Omit<MeteredTerms, 'version' | 'borrower' | 'startMs' | 'nonce'>): Promise<MeteredRecord>;
  /** Borrower: takes the lender's signature. Throws INVALID_SIGNATURE, INVALID_FORMAT, NOT_FOUND, LEASE_STATE. */
  accepted(full: Uint8Array): Promise<MeteredRecord>;
  /** Borrower: the lender said no. */
  dropped(id: string): Promise<void>;
  /** Lender: signs what was offered, once. Throws CLOCK_SKEW, CREDIT_EXCEEDED, LIMIT_REACHED, LEASE_STATE, and what `openMetered` throws. */
  accept(half: Uint8Array): Promise<MeteredRecord>;
  /** A usage receipt, half of our own or with both signatures. @returns the lease it counts on, if it is one of ours. */
  count(receipt: Uint8Array): MeteredRecord | undefined;
  /** Of storage: the newest receipt with both signatures, on disk and in the log. Throws INVALID_SIGNATURE, RECEIPT_WRONG, LEASE_STATE, NOT_FOUND. */
  receipt(full: Uint8Array): Promise<MeteredRecord>;
  /** Lender: the lease under which this peer may ask this model now, and the tokens that are left of it. */
  usable(peer: PeerId, model: string): { readonly id: string; readonly left: number } | undefined;
  /** Borrower: whether its signature belongs under this receipt's chain. */
  covers(receipt: Uint8Array): boolean;
  /** How this side would end it now: our half for the other to sign. Throws NOT_FOUND, LEASE_STATE when it is over. */
  endHalf(id: string): Uint8Array;
  /** Signs the other side's half where it says what our book says. Throws RECEIPT_WRONG, LEASE_STATE, NOT_FOUND, and what `openEnd` throws. */
  agree(half: Uint8Array): Promise<MeteredRecord>;
  /** Takes an end that both have signed. Throws as `agree`. */
  agreed(full: Uint8Array): Promise<MeteredRecord>;
  /** Ends it as disputed. @param evidence - SHA-256 of the file. Throws NOT_FOUND, LEASE_STATE. */
  dispute(id: string, evidence: Uint8Array): Promise<MeteredRecord>;
  /** The other side's dispute. Throws NOT_FOUND, and what `openEnd` throws. */
  disputed(half: Uint8Array): Promise<MeteredRecord>;
  /** Ends what is over: with what was signed for, or with everything back. @returns those leases. */
  expire(): Promise<readonly MeteredRecord[]>;
  get(id: string): MeteredRecord | undefined;
  /** Oldest first. */
  list(): readonly MeteredRecord[];
  /** Without what `besides` says. */
  between(peer: PeerId): Between;
}

export const isMeteredOpen = ({ state }: Pick<MeteredRecord, 'state'>): boolean =>
  state === 'offered' || state === 'active';

/** Throws what the store and the log throw. */
export async function openMeteredBook(deps: MeteredBookDeps): Promise<MeteredBook> {
  const { store, ledger, identity, crypto, clock } = deps;
  const rows = meteredRows(store);
  const locks = createLocks();
  const records = await byId(rows.leases());
  const past = new Map<PeerId, PastTotals>();
  /** Lender: tokens of the newest half it gave, by lease. */
  const given = new Map<string, bigint>();
  for await (const [peer, one] of rows.past()) past.set(peer, one);

  const find = (id: string): MeteredRecord => leaseIn(records, id);
  const keep = async (record: MeteredRecord, entries: readonly EntryBody[]): Promise<MeteredRecord> => {
    const changes: Change[] = [rows.put(record), ...forgetting(record)];
    if (entries.length === 0) await store.commit(changes);
    else await ledger.append(entries, changes);
    // What was counted while the disk wrote stays counted.
    const now = records.get(record.id);
    const isAhead = now !== undefined && now.n > record.n;
    const kept = isAhead ? { ...record, receipt: now.receipt, n: now.n, used: now.used, due: now.due } : record;
    records.set(record.id, kept);
    return kept;
  };
  /** The oldest that are over make room; what they came to stays. */
  const forgetting = (record: MeteredRecord): Change[] => {
    if (isMeteredOpen(record)) return [];
    const over = [...records.values()].filter((one) => one.id !== record.id && !isMeteredOpen(one));
    const gone = over.slice(0, Math.max(0, over.length + 1 - leaseLimits.overKeptMax));
    return gone.flatMap(({ id, peer, role, due }) => {
      const { paid, earned } = past.get(peer) ?? { paid: 0n, earned: 0n };
      const next = role === 'borrower' ? { paid: paid + due, earned } : { paid, earned: earned + due };
      past.set(peer, next);
      records.delete(id);
      return [rows.remove(id), rows.putPast(peer, next)];
    });
  };
  const between = (peer: PeerId): Between => {
    const { paid, earned } = past.get(peer) ?? { paid: 0n, earned: 0n };
    const sums = { owes: paid - earned, lockedByUs: 0n, lockedByThem: 0n };
    for (const record of records.values()) {
      if (record.peer !== peer) continue;
      const locked = isMeteredOpen(record) ? record.price - record.due : 0n;
      if (record.role === 'borrower') {
        sums.owes += record.due;
        sums.lockedByUs += locked;
      } else {
        sums.owes -= record.due;
        sums.lockedByThem += locked;
      }
    }
    return sums;
  };
  const admit = async (peer: PeerId, role: MeteredRecord['role'], price: bigint): Promise<void> => {
    const open = [...records.values()].filter(isMeteredOpen).length;
    if (open >= leaseLimits.openMax)
      throw new PeerAiError<LedgerErrorCode>('LIMIT_REACHED', `${open} leases of this peer are open`);
    const [own, other = nothing] = [between(peer), await deps.besides?.(peer)];
    const owes = own.owes + other.owes;
    const lockedByUs = own.lockedByUs + other.lockedByUs;
    admitLease({ owes, lockedByUs, lockedByThem: own.lockedByThem + other.lockedByThem }, role, price);
  };
  const fresh = (lease: Uint8Array, id: string, terms: MeteredTerms, state: MeteredRecord['state']): MeteredRecord => {
    const role = terms.lender === identity.peer ? 'lender' : 'borrower';
    const peer = role === 'lender' ? terms.borrower : terms.lender;
    const none = { receipt: undefined, n: 0, used: 0n, due: 0n, end: undefined, endedMs: undefined, agreed: false };
    return { id, peer, role, state, terms, price: meteredPrice(terms), lease, sinceMs: clock.nowMs(), ...none };
  };
  const ended = (record: MeteredRecord, state: MeteredRecord['state'], end: Uint8Array, agreed: boolean) =>
    keep({ ...record, state, end, agreed, endedMs: clock.nowMs() }, [leaseEndEntry(end)]);
  const endOf = ({ id, peer, n, due }: MeteredRecord): LeaseEnd => ({
    version: 1,
    lease: fromHex(id),
    by: identity.peer,
    other: peer,
    outcome: overState(n),
    n,
    due,
    timeMs: Math.max(0, Math.trunc(clock.nowMs())),
  });
  /** Of a lease that may still end: also one whose time was over before the other side spoke. */
  const ending = (bytes: Uint8Array) => {
    const { end, signedBy } = openEnd(crypto, bytes);
    const record = find(toHex(end.lease));
    const isOurs = [end.by, end.other].includes(identity.peer) && [end.by, end.other].includes(record.peer);
    if (!isOurs) throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', 'this end is of other peers');
    return { end, signedBy, record };
  };
  const checkSame = ({ n, due, state }: MeteredRecord, end: LeaseEnd): void => {
    if (state === 'offered' || state === 'disputed') throw wrongState(state);
    if (end.outcome === 'disputed' || end.n !== n || end.due !== due)
      throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'this is not what both signed last here', {
        field: end.n === n ? 'due' : 'n',
      });
  };
  const count: MeteredBook['count'] = (bytes) => {
    const receipt = readReceipt(bytes);
    const id = toHex(receipt.lease);
    const record = records.get(id);
    if (record === undefined || record.terms.resource !== 'model') return undefined;
    const used = tokensOf(receipt);
    if (record.role === 'lender' && used > (given.get(id) ?? 0n)) given.set(id, used);
    if (record.agreed || receipt.n <= record.n || isHalf(bytes)) return record;
    const state = record.state === 'refunded' ? 'settled' : record.state;
    const next = { ...record, state, receipt: bytes, n: receipt.n, used, due: meteredDue(record.terms, used) };
    records.set(id, next);
    // Late, of a lease whose time was over: at the next start nobody would look for it in the log.
    if (!isMeteredOpen(next)) void locks.run('book', () => keep(find(id), [])).catch(() => undefined);
    return next;
  };
  const isTimeOver = ({ sinceMs, terms }: MeteredRecord): boolean => clock.nowMs() >= sinceMs + meteredMs(terms);

  for (const record of [...records.values()].filter(isMeteredOpen)) {
    if (record.terms.resource !== 'model') continue;
    const newest = await newestReceipt(deps.receipts, record);
    if (newest !== undefined) count(newest);
    if (record.role === 'lender')
      for (const half of await deps.receipts.unsigned(record.peer, fromHex(record.id))) count(half);
  }
  return {
    offer: (wish) =>
      locks.run('book', async () => {
        const startMs = Math.max(0, Math.trunc(clock.nowMs()));
        const nonce = deps.random.bytes(leaseLimits.nonceBytes);
        const terms: MeteredTerms = { version: 1, ...wish, borrower: identity.peer, startMs, nonce };
        const half = offerMetered(deps, terms);
        await admit(wish.lender, 'borrower', meteredPrice(terms));
        return keep(fresh(half, toHex(openMetered(crypto, half).id), terms, 'offered'), []);
      }),
    accepted: (full) =>
      locks.run('book', async () => {
        const { id, signedBy } = openMetered(crypto, full);
        const record = find(toHex(id));
        if (signedBy !== 'both')
          throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the lender has not signed this lease');
        if (record.state === 'active') return record;
        if (record.state !== 'offered') throw wrongState(record.state);
        return keep({ ...record, lease: full, state: 'active' }, [meteredLeaseEntry(full)]);
      }),
    dropped: (id) =>
      locks.run('book', async () => {
        if (find(id).state !== 'offered') return;
        await store.commit([rows.remove(id)]);
        records.delete(id);
      }),
    accept: (half) =>
      locks.run('book', async () => {
        const { terms, id: hash } = openMetered(crypto, half);
        const id = toHex(hash);
        const before = records.get(id);
        if (before !== undefined) {
          if (before.role === 'lender' && before.state === 'active') return before;
          throw wrongState(before.state);
        }
        if (Math.abs(clock.nowMs() - terms.startMs) > leaseLimits.startSkewMs)
          throw new PeerAiError<LedgerErrorCode>('CLOCK_SKEW', 'this lease begins at another time than now');
        const full = acceptMetered(deps, half);
        await admit(terms.borrower, 'lender', meteredPrice(terms));
        return keep(fresh(full, id, terms, 'active'), [meteredLeaseEntry(full)]);
      }),
    count,
    receipt: (full) =>
      locks.run('book', async () => {
        const { receipt, signedBy } = openStorageReceipt(crypto, full);
        const record = find(toHex(receipt.lease));
        const { lender, borrower, resource } = record.terms;
        if (signedBy !== 'both')
          throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the borrower has not signed this receipt');
        const isOurs = resource === 'storage' && receipt.lender === lender && receipt.borrower === borrower;
        if (!isOurs || receipt.due !== meteredDue(record.terms, receipt.byteMs))
          throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'this receipt is not of this lease', {
            field: 'lease',
          });
        if (receipt.n <= record.n) return record;
        if (record.agreed || record.state === 'offered' || record.state === 'disputed') throw wrongState(record.state);
        const state = record.state === 'refunded' ? 'settled' : record.state;
        const { n, byteMs: used, due } = receipt;
        return keep({ ...record, state, receipt: full, n, used, due }, [storageReceiptEntry(full)]);
      }),
    usable(peer, model) {
      const fits = [...records.values()].find((record) => {
        const isMine = record.role === 'lender' && record.peer === peer && record.state === 'active';
        return isMine && record.terms.subject === model && !isTimeOver(record);
      });
      if (fits === undefined) return undefined;
      const used = given.get(fits.id) ?? 0n;
      return { id: fits.id, left: Math.max(0, fits.terms.unitsMax - Number(used)) };
    },
    covers(bytes) {
      const receipt = readReceipt(bytes);
      const record = records.get(toHex(receipt.lease));
      if (record === undefined || record.role !== 'borrower' || record.peer !== receipt.provider) return false;
      const { terms, state, agreed } = record;
      const isRunning = state !== 'disputed' && state !== 'offered' && !agreed;
      return isRunning && terms.subject === receipt.model && tokensOf(receipt) <= BigInt(terms.unitsMax);
    },
    endHalf(id) {
      const record = find(id);
      if (record.state === 'offered' || record.state === 'disputed' || record.agreed) throw wrongState(record.state);
      return signEnd(deps, endOf(record));
    },
    agree: (half) =>
      locks.run('book', async () => {
        const { end, record } = ending(half);
        if (record.agreed) return record;
        checkSame(record, end);
        return ended(record, overState(record.n), agreeToEnd(deps, half), true);
      }),
    agreed: (full) =>
      locks.run('book', async () => {
        const { end, signedBy, record } = ending(full);
        if (record.agreed) return record;
        if (signedBy !== 'both')
          throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the other side has not signed this end');
        checkSame(record, end);
        return ended(record, overState(record.n), full, true);
      }),
    dispute: (id, evidence) =>
      locks.run('book', async () => {
        const record = find(id);
        if (record.state === 'offered' || record.state === 'disputed' || record.agreed) throw wrongState(record.state);
        const half = signEnd(deps, { ...endOf(record), outcome: 'disputed', evidence });
        return ended(record, 'disputed', half, false);
      }),
    disputed: (half) =>
      locks.run('book', async () => {
        const { end, record } = ending(half);
        if (end.outcome !== 'disputed' || end.by !== record.peer || record.agreed) throw wrongState(record.state);
        return record.state === 'disputed' ? record : ended(record, 'disputed', half, false);
      }),
    expire: () =>
      locks.run('book', async () => {
        const over = [...records.values()].filter((record) => isMeteredOpen(record) && isTimeOver(record));
        return Promise.all(
          over.map((record) => ended(record, overState(record.n), signEnd(deps, endOf(record)), false)),
        );
      }),
    get: (id) => records.get(id),
    list: () => [...records.values()],
    between,
  };
}

const nothing: Between = { owes: 0n, lockedByUs: 0n, lockedByThem: 0n };
const overState = (n: number): 'settled' | 'refunded' => (n === 0 ? 'refunded' : 'settled');
const wrongState = (state: string): PeerAiError<LedgerErrorCode> =>
  new PeerAiError('LEASE_STATE', `a lease that is ${state} cannot do that`, { state });

/** The newest receipt of this lease's chain in our own log. */
async function newestReceipt(
  receipts: MeteredBookDeps['receipts'],
  { id, peer, terms }: MeteredRecord,
): Promise<Uint8Array | undefined> {
  const oldestMs = terms.startMs - leaseLimits.startSkewMs;
  let before: bigint | undefined;
  do {
    const page = await receipts.list({ peer, ...(before === undefined ? {} : { before }) });
    for (const { receipt, bytes } of page.receipts) if (toHex(receipt.lease) === id) return bytes;
    if (page.receipts.some(({ receipt }) => receipt.timeMs < oldestMs)) return undefined;
    before = page.next;
  } while (before !== undefined);
  return undefined;
}
