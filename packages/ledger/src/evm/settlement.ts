import { type CryptoProvider, equalBytes, PeerAiError, type PeerId, type Store, utf8 } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { Escrow, EscrowTerms, FinalReceipt, Settlement } from '../market/settlement.ts';
import type { ChainEscrow, Done, EscrowChain } from './chain.ts';
import { decodeEndorsement, type Endorsement, encodeEndorsement, endorserOf, type Hex, hexOf } from './endorsement.ts';
import { evmLimits } from './limits.ts';
import { decodeRow, encodeRow, escrowKey, type EscrowRow } from './rows.ts';
import type { SettlementKeyStatement } from './settlement-key.ts';

export interface EvmSettlementDeps {
  /** A room of its own. */
  readonly store: Store;
  readonly crypto: CryptoProvider;
  readonly self: PeerId;
  /** Opened when it is first needed; asked again after it failed. */
  chain(signal: AbortSignal): Promise<EscrowChain>;
  /** The other peer's checked statement, from its log or from itself. */
  settlementKeyOf(peer: PeerId, signal: AbortSignal): Promise<SettlementKeyStatement | undefined>;
  /** What the borrower endorsed for this receipt, as it came from there. */
  endorsementOf(last: FinalReceipt, signal: AbortSignal): Promise<Uint8Array | undefined>;
}
export interface EvmSettlementOptions {
  /** Both peers of a lease need the same: wei for a micro-credit. */
  readonly weiPerMicro: bigint;
}
export interface EvmSettlement extends Settlement {
  readonly kind: 'evm';
  /** The borrower's word for the lender, to go with the receipt it signs; nothing is sent to the chain. Throws NOT_FOUND, RECEIPT_WRONG. */
  endorse(last: FinalReceipt, signal: AbortSignal): Promise<Uint8Array>;
  /** Lender: whether this is the borrower's word for that receipt. Throws NOT_FOUND, RECEIPT_WRONG, INVALID_SIGNATURE, and what `decodeEndorsement` throws. */
  accept(last: FinalReceipt, endorsement: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Wei the contract owes this peer. */
  credit(signal: AbortSignal): Promise<bigint>;
  /** Pays that out to this peer's address. Throws ESCROW_STATE when nothing is owed. */
  withdraw(signal: AbortSignal): Promise<Done>;
}

/**
 * Leases settled by the escrow contract. The borrower's `open` deposits, the lender's looks whether that was done; either may `settle`, the lender's
 * also gives the rest back at once. Restarts and lost answers are harmless: what the contract already has is not sent again.
 */
export function evmSettlement(deps: EvmSettlementDeps, { weiPerMicro }: EvmSettlementOptions): EvmSettlement {
  const { store, crypto, self } = deps;
  if (weiPerMicro <= 0n || weiPerMicro > evmLimits.weiPerMicroMax) {
    const message = `a micro-credit is 1 to ${evmLimits.weiPerMicroMax} wei`;
    throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', message);
  }

  const weiOf = (amount: bigint): bigint => {
    if (amount <= evmLimits.microMax) return amount * weiPerMicro;
    throw new PeerAiError<LedgerErrorCode>(
      'LIMIT_EXCEEDED',
      `a lease costs at most ${evmLimits.microMax} micro-credits`,
    );
  };
  const rowOf = async (lease: Uint8Array): Promise<EscrowRow | undefined> => {
    const value = await store.get(escrowKey(lease));
    return value === undefined ? undefined : decodeRow(value);
  };
  const keep = (row: EscrowRow): Promise<void> => store.commit([store.put(escrowKey(row.lease), encodeRow(row))]);
  const known = async (lease: Uint8Array): Promise<EscrowRow> => {
    const row = await rowOf(lease);
    if (row !== undefined) return row;
    throw new PeerAiError<LedgerErrorCode>('NOT_FOUND', 'no escrow was opened for this lease');
  };
  const placeOf = (chain: EscrowChain, { consumer, provider, lease }: EscrowRow): Hex =>
    chain.escrowOf(consumer, provider, hexOf(lease));

  async function read(chain: EscrowChain, row: EscrowRow, signal: AbortSignal): Promise<ChainEscrow> {
    const found = await chain.escrow(placeOf(chain, row), signal);
    if (found !== undefined) return found;
    throw state('the contract has no deposit for this lease');
  }
  async function viewed(chain: EscrowChain, row: EscrowRow, signal: AbortSignal): Promise<Escrow> {
    const { isOpen, settled } = await read(chain, row, signal);
    const { consumer: _consumer, provider: _provider, n: _n, ...terms } = row;
    const over = settled === 0n ? 'refunded' : 'settled';
    return {
      ...terms,
      state: isOpen ? 'open' : over,
      paid: isOpen ? 0n : settled / weiPerMicro,
      reference: `eip155:${chain.chainId}/${chain.contract}/${placeOf(chain, row)}`,
    };
  }
  async function partiesOf(chain: EscrowChain, terms: EscrowTerms, signal: AbortSignal) {
    const other = terms.borrower === self ? terms.lender : terms.borrower;
    const theirs = await deps.settlementKeyOf(other, signal);
    if (theirs?.peer !== other)
      throw failed(`${other} has not said which settlement key is its own: does it settle on a chain?`);
    return terms.borrower === self
      ? { consumer: chain.address, provider: theirs.address }
      : { consumer: theirs.address, provider: chain.address };
  }
  /** Checked against what the contract will check, so that a bad one is found while the borrower is still there. */
  async function endorsed(chain: EscrowChain, row: EscrowRow, last: FinalReceipt, signal: AbortSignal) {
    if (row.borrower === self) return chain.endorse(placeOf(chain, row), weiOf(last.due), workOf(last));
    const bytes = await deps.endorsementOf(last, signal);
    if (bytes === undefined) throw failed('the borrower has not endorsed this receipt for the contract');
    return opened(chain, row, last, bytes);
  }
  async function opened(chain: EscrowChain, row: EscrowRow, last: FinalReceipt, bytes: Uint8Array) {
    const endorsement = decodeEndorsement(bytes);
    const expected = { escrow: placeOf(chain, row), amount: weiOf(last.due), work: workOf(last) };
    checkEndorsement(endorsement, { ...expected, chainId: chain.chainId, contract: chain.contract });
    if ((await endorserOf(chain.viem, endorsement)) !== row.consumer)
      throw new PeerAiError<LedgerErrorCode>('INVALID_SIGNATURE', 'the endorsement is not the borrower’s');
    return endorsement;
  }
  const workOf = ({ receipt }: FinalReceipt): Hex => hexOf(crypto.sha256(receipt));
  const checked = (row: EscrowRow, last: FinalReceipt): void => {
    if (last.due > row.amount)
      throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', 'more is due than the escrow holds', { field: 'due' });
    if (last.n < row.n) throw state('a later receipt of this lease was handed in');
  };

  return {
    kind: 'evm',
    async open(terms, signal) {
      if (terms.lender !== self && terms.borrower !== self) throw state('this lease is of two others');
      const [wei, settleUntil] = [weiOf(terms.amount), BigInt(Math.floor(terms.refundMs / 1000))];
      const chain = await deps.chain(signal);
      const before = await rowOf(terms.lease);
      if (before !== undefined && !sameTerms(before, terms)) throw state('this lease has an escrow with other terms');
      const row = before ?? { ...terms, ...(await partiesOf(chain, terms, signal)), n: 0 };
      // The borrower's, before anything is sent: after a crash the deposit is still known to be of this lease.
      if (before === undefined && terms.borrower === self) await keep(row);
      // What we sent ourselves is not sent again while it waits for its confirmations; what another sent counts when it has them.
      const at = terms.borrower === self ? 'newest' : 'confirmed';
      const there = await chain.escrow(placeOf(chain, row), signal, at);
      if (there === undefined && terms.borrower !== self)
        throw state('the borrower’s deposit is not there, or not confirmed yet');
      if (there === undefined) await chain.open(hexOf(terms.lease), row.provider, settleUntil, wei, signal);
      else if (there.deposit < wei || there.settleUntil < settleUntil)
        throw state('the deposit is smaller, or ends earlier, than the lease says');
      // The lender's, now that there is something: who only asks leaves nothing here.
      if (before === undefined && terms.lender === self) await keep(row);
      return viewed(chain, row, signal);
    },

    async settle(last, signal) {
      const row = await known(last.lease);
      checked(row, last);
      const chain = await deps.chain(signal);
      const { isOpen, settled } = await read(chain, row, signal);
      const wei = weiOf(last.due);
      if (!isOpen) {
        if (settled === wei && wei > 0n) return viewed(chain, row, signal);
        throw state('this escrow was closed with another amount');
      }
      if (settled > wei) throw state('a later receipt of this lease was handed in');
      const isLender = row.lender === self;
      if (settled < wei) await chain.settle(await endorsed(chain, row, last, signal), isLender, signal);
      else if (isLender) await chain.close(placeOf(chain, row), signal);
      if (last.n > row.n) await keep({ ...row, n: last.n });
      return viewed(chain, row, signal);
    },

    async refund(lease, signal) {
      const row = await known(lease);
      const chain = await deps.chain(signal);
      const { isOpen, settled } = await read(chain, row, signal);
      if (!isOpen && settled > 0n) throw state('this escrow was settled');
      if (isOpen && row.borrower !== self) throw state('the borrower takes its deposit back itself');
      if (isOpen) await chain.refund(placeOf(chain, row), signal);
      return viewed(chain, row, signal);
    },

    async get(lease, signal) {
      const row = await rowOf(lease);
      if (row === undefined) return undefined;
      const chain = await deps.chain(signal);
      if ((await chain.escrow(placeOf(chain, row), signal)) === undefined) return undefined;
      return viewed(chain, row, signal);
    },

    async anchor({ origin, size, root }, signal) {
      const chain = await deps.chain(signal);
      const log = hexOf(crypto.sha256(utf8(origin)));
      const kept = await chain.head(chain.address, log, signal);
      if (size < kept.size || (size === kept.size && kept.root !== hexOf(root)))
        throw state('the chain keeps a later head of this log, or another of this size');
      if (size > kept.size) await chain.anchor(log, size, hexOf(root), signal);
      return { reference: `eip155:${chain.chainId}/${chain.contract}/${chain.address}/${log}` };
    },

    async endorse(last, signal) {
      const row = await known(last.lease);
      checked(row, last);
      if (row.borrower !== self) throw state('only the borrower endorses');
      return encodeEndorsement(await endorsed(await deps.chain(signal), row, last, signal));
    },
    async accept(last, endorsement, signal) {
      const row = await known(last.lease);
      checked(row, last);
      await opened(await deps.chain(signal), row, last, endorsement);
    },
    credit: async (signal) => (await deps.chain(signal)).credit(signal),
    withdraw: async (signal) => (await deps.chain(signal)).withdraw(signal),
  };
}

function sameTerms(row: EscrowRow, terms: EscrowTerms): boolean {
  const { lease, lender, borrower, amount, refundMs } = terms;
  const isSame = row.lender === lender && row.borrower === borrower && row.amount === amount;
  return isSame && row.refundMs === refundMs && equalBytes(row.lease, lease);
}

function checkEndorsement(endorsement: Endorsement, expected: Omit<Endorsement, 'signature'>): void {
  for (const field of ['chainId', 'contract', 'escrow', 'amount', 'work'] as const) {
    if (endorsement[field] === expected[field]) continue;
    const message = `the ${field} of the borrower’s endorsement is wrong`;
    throw new PeerAiError<LedgerErrorCode>('RECEIPT_WRONG', message, { field });
  }
}

const state = (message: string): PeerAiError => new PeerAiError<LedgerErrorCode>('ESCROW_STATE', message);
const failed = (message: string): PeerAiError => new PeerAiError<LedgerErrorCode>('SETTLEMENT_FAILED', message);
