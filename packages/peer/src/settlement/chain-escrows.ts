import { fromBase64Url, fromHex, PeerAiError, type PeerId, toBase64Url, toHex } from '@peerai/core-protocol';
import { readReceipt } from '@peerai/ledger';
import { type Between, openFinalReceipt } from '@peerai/ledger/market';
import type { EscrowedLease, LeaseToSettle } from '../market/escrowed-lease.ts';
import { type Escrows, escrowTerms } from '../market/escrows.ts';
import type { Deposit, Deposits } from './deposits.ts';
import { settlementLimits as limits } from './limits.ts';
import type { OnChain } from './on-chain.ts';
import { createRounds } from './rounds.ts';
import type { ChainDeps } from './room.ts';
import type { SettlementAnswer, SettlementQuestion } from './settlement-protocol.ts';

/** The leases of one book, settled on the chain. */
export interface ChainEscrows extends Escrows {
  /** A receipt was counted: the borrower endorses it for the contract, in its own time. */
  counted(lease: EscrowedLease): void;
  /** Lender: whether the borrower has endorsed what it got so far, but for a few answers. */
  isCovered(lease: string): boolean;
}
/** A book of leases, as far as the chain needs it. */
export interface EscrowedBook {
  find(lease: string): EscrowedLease | undefined;
  /** Something about this lease's escrow is new. */
  changed(lease: string): void;
  /** Lender: a receipt with both signatures that its borrower endorsed; it counts in the book too. */
  took(lease: string, receipt: Uint8Array): Promise<unknown>;
  /** Where leases are settled that have nothing on the chain. */
  readonly local: Escrows;
}
/** Leases of nodes have a book of their own. */
export type BookName = 'metered' | 'node';
/** All books together. */
export interface AllEscrows {
  /** Once for each book: its leases from now on. Before that nothing is done for them. */
  of(name: BookName, book: EscrowedBook): ChainEscrows;
  /** What was paid over the chain, and so is owed no more in the books. */
  paid(peer: PeerId): Between;
  /** Lender: takes an endorsement. @returns the place of the newest it has. */
  endorsed(peer: PeerId, question: SettlementQuestion, signal: AbortSignal): Promise<number>;
  /** A party of a lease is here: what it has not got yet goes out. */
  met(peer: PeerId): void;
  closed(): Promise<void>;
}
export interface ChainEscrowParts {
  readonly onChain: OnChain;
  readonly deposits: Deposits;
  /** Exchanges settlement keys; both settle in the same contract then. */
  readonly meet: (peer: PeerId, signal: AbortSignal) => Promise<void>;
  readonly ask: (peer: PeerId, question: SettlementQuestion, signal: AbortSignal) => Promise<SettlementAnswer>;
}

/** Escrows in the contract. Nothing here waits for a block but the opening of a lease; what is to be handed in is done beside, again until it is done. */
export function createChainEscrows(deps: ChainDeps, parts: ChainEscrowParts): AllEscrows {
  const { clock, logger, stopping, chain, identity, crypto } = deps;
  const { onChain, deposits, meet, ask } = parts;
  const books = new Map<BookName, EscrowedBook>();
  const bookOf = ({ of }: Pick<Deposit, 'of'>): EscrowedBook | undefined =>
    books.get(of === 'node' ? 'node' : 'metered');
  const find = (lease: string): EscrowedLease | undefined => {
    const deposit = deposits.get(lease);
    return deposit === undefined ? undefined : bookOf(deposit)?.find(lease);
  };
  const running = new Set<Promise<unknown>>();
  const quiet = (task: Promise<unknown>): void => {
    const one = task
      .catch((error: unknown) => {
        const code = PeerAiError.is(error) ? error.code : 'INTERNAL';
        logger.debug('settlement', { code });
      })
      .finally(() => running.delete(one));
    running.add(one);
  };
  const news = (lease: string): void => {
    const deposit = deposits.get(lease);
    if (deposit !== undefined) bookOf(deposit)?.changed(lease);
  };
  const refundMsOf = ({ endsMs }: LeaseToSettle): number => endsMs + limits.handInMs;
  const wantedOf = (lease: LeaseToSettle) => escrowTerms(lease, refundMsOf(lease));
  const fresh = (lease: LeaseToSettle): Deposit => {
    const { document, id, price, endsMs } = lease;
    const { lender, borrower } = document.terms;
    const role = lender === identity.peer ? 'lender' : 'borrower';
    const nothingYet = { paidMicro: '0', reference: null, opened: null, closed: null, failure: null };
    return {
      lease: id,
      of: document.kind === 'node' ? 'node' : document.terms.resource,
      role,
      peer: role === 'lender' ? borrower : lender,
      state: role === 'lender' ? 'open' : 'waiting',
      amountMicro: `${price}`,
      endsMs,
      refundMs: refundMsOf(lease),
      sinceMs: clock.nowMs(),
      ...nothingYet,
    };
  };
  /** What is free needs no escrow. */
  const isHere = ({ price }: LeaseToSettle): boolean => chain.settles && price > 0n;

  /** The borrower's newest word, until the lender has it. */
  const pushing = new Set<string>();
  const push = async (lease: string): Promise<void> => {
    for (;;) {
      const [record, deposit] = [find(lease), deposits.get(lease)];
      if (record?.receipt === undefined || deposit?.state !== 'open' || record.due === 0n) return;
      if ((deposit.endorsed?.n ?? 0) >= record.n) return;
      const { n, due, receipt, peer } = record;
      const id = fromHex(lease);
      const endorsement = await onChain.endorse({ lease: id, n, due, receipt }, stopping);
      await ask(peer, { kind: 'endorsement', statement: undefined, receipt, endorsement, lease: id }, stopping);
      const said = { receipt: toBase64Url(receipt), endorsement: toBase64Url(endorsement) };
      await deposits.change(lease, { endorsed: { n, dueMicro: `${due}`, ...said } });
      news(lease);
    }
  };
  const pushOnce = (lease: string): void => {
    if (pushing.has(lease) || stopping.aborted) return;
    pushing.add(lease);
    quiet(push(lease).finally(() => pushing.delete(lease)));
  };

  /** What is due for one deposit now. */
  const step = async (deposit: Deposit, signal: AbortSignal): Promise<void> => {
    const { lease, role, endorsed, endsMs, refundMs } = deposit;
    const record = find(lease);
    if (record?.isOpen === true) return;
    const isLate = clock.nowMs() >= refundMs;
    if (role === 'lender') {
      const isLast = (endorsed?.n ?? 0) >= (record?.lastN ?? 0);
      const isTime = isLast || clock.nowMs() >= endsMs + limits.patienceMs;
      if (endorsed !== undefined && isTime && !isLate) await onChain.settle(deposit, lastOf(lease, endorsed), signal);
      else if (isLate) await tooLate(deposit, signal);
      return;
    }
    const found = await onChain.look(deposit, signal);
    if (found === undefined && isLate) await deposits.change(lease, { state: 'none', failure: null });
    if (found?.state === 'open' && isLate) await onChain.refund(deposit, signal);
  };
  /** What was not handed in by then is the borrower's. */
  const tooLate = async (deposit: Deposit, signal: AbortSignal): Promise<void> => {
    const found = await onChain.look(deposit, signal);
    if (found === undefined || found.state === 'open') await deposits.change(deposit.lease, { state: 'refunded' });
  };
  const rounds = createRounds(deps, {
    deposits,
    step,
    news,
    quiet,
    look: (deposit, signal) => onChain.look(deposit, signal),
    isKnown: (deposit) => bookOf(deposit) !== undefined,
  });
  return {
    of(name, book) {
      books.set(name, book);
      rounds.work();
      return {
        async open(lease, signal) {
          if (!isHere(lease)) return book.local.open(lease, signal);
          await meet(lease.peer, signal);
          if (deposits.get(lease.id) === undefined) await deposits.put(fresh(lease));
          rounds.work();
          try {
            await onChain.open(wantedOf(lease), clock.deadline(limits.stepMs, signal));
          } catch (error) {
            // Nothing was sent: the address has not that much.
            if (PeerAiError.is(error, 'CREDIT_EXCEEDED')) await deposits.forget(lease.id);
            throw error;
          }
          news(lease.id);
        },
        async check(lease, signal) {
          if (!isHere(lease)) return book.local.check(lease, signal);
          const { reference } = await onChain.open(wantedOf(lease), clock.deadline(limits.stepMs, signal));
          if (deposits.get(lease.id) === undefined) await deposits.put({ ...fresh(lease), reference });
          rounds.work();
        },
        async close(lease, signal) {
          if (deposits.get(lease.id) === undefined) return book.local.close(lease, signal);
          rounds.soon(lease.id);
          if (lease.role === 'borrower') pushOnce(lease.id);
          rounds.work();
        },
        async look(leases, signal) {
          await book.local.look(
            leases.filter(({ id }) => deposits.get(id) === undefined),
            signal,
          );
        },
        counted(lease) {
          if (lease.role === 'borrower' && deposits.get(lease.id) !== undefined) pushOnce(lease.id);
        },
        isCovered(lease) {
          const deposit = deposits.get(lease);
          const record = book.find(lease);
          if (deposit === undefined || record === undefined) return true;
          const { n = 0, dueMicro = '0' } = deposit.endorsed ?? {};
          // What costs nothing more needs no word: of stored bytes the first proof says only that they are there.
          return record.n - n < limits.unendorsedMax || BigInt(dueMicro) >= record.due;
        },
      };
    },
    paid(peer) {
      const { byUs, toUs } = deposits.paid(peer);
      return { owes: toUs - byUs, lockedByUs: 0n, lockedByThem: 0n };
    },
    async endorsed(peer, { receipt, endorsement, lease: named }, signal) {
      if (receipt === undefined || endorsement === undefined)
        throw new PeerAiError('INVALID_FORMAT', 'a receipt and its endorsement are missing');
      const lease = toHex(named ?? readReceipt(receipt).lease);
      const [record, deposit] = [find(lease), deposits.get(lease)];
      if (record === undefined || deposit?.role !== 'lender' || deposit.peer !== peer)
        throw new PeerAiError('NOT_FOUND', 'there is no such lease here');
      const last = openFinalReceipt(crypto, lease, record.document, receipt);
      const { n, due } = last;
      const newest = deposit.endorsed?.n ?? 0;
      if (n <= newest) return newest;
      await onChain.accept(last, endorsement, signal);
      await bookOf(deposit)?.took(lease, receipt);
      const said = { receipt: toBase64Url(receipt), endorsement: toBase64Url(endorsement) };
      if ((deposits.get(lease)?.endorsed?.n ?? 0) < n)
        await deposits.change(lease, { endorsed: { n, dueMicro: `${due}`, ...said } });
      rounds.soon(lease);
      news(lease);
      return n;
    },
    met(peer) {
      for (const { lease, role, peer: other } of rounds.pending())
        if (role === 'borrower' && other === peer) pushOnce(lease);
    },
    async closed() {
      await Promise.all(running);
    },
  };
}

const lastOf = (lease: string, { n, dueMicro, receipt }: NonNullable<Deposit['endorsed']>) => ({
  lease: fromHex(lease),
  n,
  due: BigInt(dueMicro),
  receipt: fromBase64Url(receipt),
});
