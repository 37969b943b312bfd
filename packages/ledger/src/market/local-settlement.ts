import {
  type CryptoProvider,
  type EntryBody,
  equalBytes,
  fromHex,
  fromUtf8,
  PeerAiError,
  type PeerId,
  type Store,
  toHex,
  utf8,
  wire,
} from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { OwnLedger } from '../log/open.ts';
import { createLocks } from '../receipt/locks.ts';
import type { Escrow, EscrowTerms, LogHead, Settlement } from './settlement.ts';

export interface LocalSettlementDeps {
  /** A room of its own, in the same file as the ledger's. */
  readonly store: Store;
  readonly ledger: Pick<OwnLedger, 'append'>;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly clock: { readonly nowMs: () => number };
}

const anchorCodec = wire.message({ origin: wire.string(1), size: wire.uint64(2), root: wire.bytes(3) });

/**
 * Credits that stay between the two peers: an escrow is a row of this peer's book, an anchor an entry of its own log. It holds nobody to pay; what a
 * counterparty may owe is bounded by `exposureMicroMax` instead.
 */
export function createLocalSettlement({ store, ledger, crypto, clock }: LocalSettlementDeps): Settlement {
  const locks = createLocks();
  const find = async (lease: Uint8Array): Promise<Escrow | undefined> => {
    const row = await store.get(`escrow/${toHex(lease)}`);
    return row === undefined ? undefined : escrowOf(row);
  };
  const need = async (lease: Uint8Array): Promise<Escrow> => {
    const found = await find(lease);
    if (found === undefined) throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'there is no such escrow here');
    return found;
  };
  const keep = async (escrow: Escrow): Promise<Escrow> => {
    await store.commit([store.put(`escrow/${toHex(escrow.lease)}`, rowOf(escrow))]);
    return escrow;
  };
  const referenceOf = (lease: Uint8Array): string => `local:${toHex(lease).slice(0, 16)}`;
  return {
    kind: 'local',
    open: (terms, signal) =>
      locks.run('escrow', async () => {
        signal.throwIfAborted();
        const before = await find(terms.lease);
        if (before === undefined)
          return keep({ ...terms, state: 'open', paid: 0n, reference: referenceOf(terms.lease) });
        if (isSame(before, terms)) return before;
        throw wrongState('this lease has an escrow with other terms');
      }),
    settle: ({ lease, due }, signal) =>
      locks.run('escrow', async () => {
        signal.throwIfAborted();
        const escrow = await need(lease);
        if (due > escrow.amount)
          throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'more is due than was locked', { field: 'due' });
        if (escrow.state === 'settled' && escrow.paid === due) return escrow;
        if (escrow.state !== 'open') throw wrongState(`this escrow is ${escrow.state}`);
        return keep({ ...escrow, state: 'settled', paid: due });
      }),
    refund: (lease, signal) =>
      locks.run('escrow', async () => {
        signal.throwIfAborted();
        const escrow = await need(lease);
        if (escrow.state === 'refunded') return escrow;
        if (escrow.state === 'settled') throw wrongState('this escrow is settled');
        if (clock.nowMs() < escrow.refundMs) throw wrongState('the time of this escrow is not over');
        return keep({ ...escrow, state: 'refunded' });
      }),
    get: (lease) => find(lease),
    anchor: (head, signal) =>
      locks.run('escrow', async () => {
        signal.throwIfAborted();
        const key = `anchor/${head.origin}`;
        const row = await store.get(key);
        const before = row === undefined ? undefined : anchorCodec.decode(row);
        checkGrows(before, head);
        const body = anchorCodec.encode(head);
        const isNew = before === undefined || before.size < head.size;
        if (isNew) await ledger.append([anchorEntry(body)], [store.put(key, body)]);
        return { reference: `local:${toHex(crypto.sha256(body)).slice(0, 16)}` };
      }),
  };
}

const anchorEntry = (body: Uint8Array): EntryBody => ({ kind: 'anchor', body });
const wrongState = (message: string): PeerAiError<LedgerErrorCode> => new PeerAiError('ESCROW_STATE', message);

function checkGrows(before: LogHead | undefined, head: LogHead): void {
  if (before === undefined || head.size > before.size) return;
  if (head.size < before.size) throw wrongState('a later head of this log is kept already');
  if (!equalBytes(head.root, before.root)) throw wrongState('this log had another root at the same size');
}

function isSame(escrow: Escrow, { lender, borrower, amount, refundMs }: EscrowTerms): boolean {
  const peers = escrow.lender === lender && escrow.borrower === borrower;
  return peers && escrow.amount === amount && escrow.refundMs === refundMs;
}

const rowOf = ({ lease, amount, paid, ...rest }: Escrow): Uint8Array =>
  utf8(JSON.stringify({ ...rest, lease: toHex(lease), amount: `${amount}`, paid: `${paid}` }));

function escrowOf(row: Uint8Array): Escrow {
  const { lease, amount, paid, ...rest } = JSON.parse(fromUtf8(row)) as Omit<Escrow, 'lease' | 'amount' | 'paid'> & {
    readonly lease: string;
    readonly amount: string;
    readonly paid: string;
    readonly lender: PeerId;
  };
  return { ...rest, lease: fromHex(lease), amount: BigInt(amount), paid: BigInt(paid) };
}
