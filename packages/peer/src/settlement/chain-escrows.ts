import { fromBase64Url, fromHex, PeerAiError, type PeerId, toBase64Url, toHex } from '@peerai/core-protocol';
import { openReceipt } from '@peerai/ledger';
import {
  type Between,
  isMeteredOpen,
  meteredDue,
  meteredMs,
  meteredPrice,
  type MeteredRecord,
  type MeteredTerms,
  tokensOf,
} from '@peerai/ledger/market';
import type { Escrows } from '../market/escrows.ts';
import { type Deposit, type Deposits, isPending } from './deposits.ts';
import { settlementLimits as limits } from './limits.ts';
import type { OnChain } from './on-chain.ts';
import type { ChainDeps } from './room.ts';
import type { SettlementAnswer, SettlementQuestion } from './settlement-protocol.ts';

export interface ChainEscrows extends Escrows {
  /** A receipt was counted: the borrower endorses it for the contract, in its own time. */
  counted(lease: MeteredRecord): void;
  /** Lender: whether the borrower has endorsed what it got so far, but for a few answers. */
  isCovered(lease: string): boolean;
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
  readonly find: (lease: string) => MeteredRecord | undefined;
  /** Something about this lease's escrow is new. */
  readonly changed: (lease: MeteredRecord) => void;
  /** Where leases are settled that have nothing on the chain. */
  readonly local: Escrows;
}

/** Escrows in the contract. Nothing here waits for a block but the opening of a lease; what is to be handed in is done beside, again until it is done. */
export function createChainEscrows(deps: ChainDeps, parts: ChainEscrowParts): ChainEscrows {
  const { clock, logger, stopping, chain, identity, crypto } = deps;
  const { onChain, deposits, meet, ask, find, changed, local } = parts;
  const running = new Set<Promise<unknown>>();
  const quiet = (task: Promise<unknown>): void => {
    const one = task
      .catch((error: unknown) => logger.debug('settlement', { code: codeOf(error).code }))
      .finally(() => running.delete(one));
    running.add(one);
  };
  const news = (lease: string): void => {
    const record = find(lease);
    if (record !== undefined) changed(record);
  };
  const endsMsOf = (terms: MeteredTerms): number => terms.startMs + meteredMs(terms);
  const wantedOf = (terms: MeteredTerms, lease: Uint8Array) => {
    const { lender, borrower } = terms;
    return { lease, lender, borrower, amount: meteredPrice(terms), refundMs: endsMsOf(terms) + limits.handInMs };
  };
  const fresh = (terms: MeteredTerms, lease: string): Deposit => {
    const role = terms.lender === identity.peer ? 'lender' : 'borrower';
    const nothingYet = { paidMicro: '0', reference: null, opened: null, closed: null, failure: null };
    return {
      lease,
      role,
      peer: role === 'lender' ? terms.borrower : terms.lender,
      state: role === 'lender' ? 'open' : 'waiting',
      amountMicro: `${meteredPrice(terms)}`,
      endsMs: endsMsOf(terms),
      refundMs: endsMsOf(terms) + limits.handInMs,
      sinceMs: clock.nowMs(),
      ...nothingYet,
    };
  };
  /** What is free needs no escrow; of storage nothing would ever be endorsed, as only receipts of answers are. */
  const isHere = (terms: MeteredTerms): boolean =>
    chain.settles && terms.resource === 'model' && meteredPrice(terms) > 0n;

  /** The borrower's newest word, until the lender has it. */
  const pushing = new Set<string>();
  const push = async (lease: string): Promise<void> => {
    for (;;) {
      const [record, deposit] = [find(lease), deposits.get(lease)];
      if (record?.receipt === undefined || deposit?.state !== 'open' || record.due === 0n) return;
      if ((deposit.endorsed?.n ?? 0) >= record.n) return;
      const { n, due, receipt, peer } = record;
      const endorsement = await onChain.endorse({ lease: fromHex(lease), n, due, receipt }, stopping);
      await ask(peer, { kind: 'endorsement', statement: undefined, receipt, endorsement }, stopping);
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

  /** When each is looked at next, and how often it failed. */
  const plan = new Map<string, { readonly dueMs: number; readonly failures: number }>();
  const soon = (lease: string): void => void plan.delete(lease);
  const isRunning = (lease: string): boolean => {
    const record = find(lease);
    return record !== undefined && isMeteredOpen(record);
  };
  /** What is due for one deposit now. */
  const step = async (deposit: Deposit, signal: AbortSignal): Promise<void> => {
    const { lease, role, endorsed, endsMs, refundMs } = deposit;
    if (isRunning(lease)) return;
    const isLate = clock.nowMs() >= refundMs;
    if (role === 'lender') {
      const isLast = (endorsed?.n ?? 0) >= (find(lease)?.n ?? 0);
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
  const attempt = async (deposit: Deposit): Promise<void> => {
    const { lease } = deposit;
    const deadline = clock.deadline(limits.stepMs, stopping);
    const before = deposits.get(lease);
    const failures = plan.get(lease)?.failures ?? 0;
    try {
      await step(deposit, deadline);
      plan.set(lease, { dueMs: clock.nowMs() + limits.watchMs, failures: 0 });
    } catch (error) {
      if (stopping.aborted) throw error;
      const { code, message } = codeOf(error);
      logger.warn('escrow-not-closed', { lease, code });
      // The contract may say no because it is done: what stands there stands.
      if (code === 'ESCROW_STATE') await onChain.look(deposit, deadline).catch(() => undefined);
      const waitMs = Math.min(limits.retryMsMin * 2 ** failures, limits.retryMsMax);
      plan.set(lease, { dueMs: clock.nowMs() + waitMs, failures: failures + 1 });
      const now = deposits.get(lease);
      if (now !== undefined && isPending(now))
        await deposits.change(lease, { failure: { code, message, atMs: clock.nowMs() } });
    }
    if (deposits.get(lease) !== before) news(lease);
  };
  let working = false;
  const work = (): void => {
    if (working || stopping.aborted || !deposits.list().some(isPending)) return;
    working = true;
    const going = async (): Promise<void> => {
      try {
        while (deposits.list().some(isPending)) {
          await clock.sleep(limits.lookMs, stopping);
          for (const deposit of deposits.list().filter(isPending))
            if ((plan.get(deposit.lease)?.dueMs ?? 0) <= clock.nowMs()) await attempt(deposit);
        }
      } finally {
        working = false;
      }
    };
    quiet(going());
  };
  work();
  return {
    async open(lease, signal) {
      if (!isHere(lease.terms)) return local.open(lease, signal);
      await meet(lease.peer, signal);
      if (deposits.get(lease.id) === undefined) await deposits.put(fresh(lease.terms, lease.id));
      work();
      try {
        const deadline = clock.deadline(limits.stepMs, signal);
        await onChain.open(wantedOf(lease.terms, fromHex(lease.id)), deadline);
      } catch (error) {
        // Nothing was sent: the address has not that much.
        if (PeerAiError.is(error, 'CREDIT_EXCEEDED')) await deposits.forget(lease.id);
        throw error;
      }
      news(lease.id);
    },
    async check(terms, id, signal) {
      if (!isHere(terms)) return local.check(terms, id, signal);
      const { reference } = await onChain.open(wantedOf(terms, id), signal);
      const lease = toHex(id);
      if (deposits.get(lease) === undefined) await deposits.put({ ...fresh(terms, lease), reference });
      work();
    },
    async close(lease, signal) {
      if (deposits.get(lease.id) === undefined) return local.close(lease, signal);
      soon(lease.id);
      if (lease.role === 'borrower') pushOnce(lease.id);
      work();
    },
    async look(leases, signal) {
      await local.look(
        leases.filter(({ id }) => deposits.get(id) === undefined),
        signal,
      );
    },
    counted(lease) {
      if (lease.role === 'borrower' && deposits.get(lease.id) !== undefined) pushOnce(lease.id);
    },
    isCovered(lease) {
      const deposit = deposits.get(lease);
      return deposit === undefined || (find(lease)?.n ?? 0) - (deposit.endorsed?.n ?? 0) < limits.unendorsedMax;
    },
    paid(peer) {
      const { byUs, toUs } = deposits.paid(peer);
      return { owes: toUs - byUs, lockedByUs: 0n, lockedByThem: 0n };
    },
    async endorsed(peer, { receipt: bytes, endorsement }, signal) {
      if (bytes === undefined || endorsement === undefined)
        throw new PeerAiError('INVALID_FORMAT', 'a receipt and its endorsement are missing');
      const { receipt, signedBy } = openReceipt(crypto, bytes);
      const lease = toHex(receipt.lease);
      const [record, deposit] = [find(lease), deposits.get(lease)];
      const isOurs = deposit?.role === 'lender' && deposit.peer === peer && receipt.provider === identity.peer;
      if (record === undefined || deposit === undefined || !isOurs || receipt.consumer !== peer || signedBy !== 'both')
        throw new PeerAiError('NOT_FOUND', 'there is no such lease here');
      const { n } = receipt;
      const newest = deposit.endorsed?.n ?? 0;
      if (n <= newest) return newest;
      const due = meteredDue(record.terms, tokensOf(receipt));
      await onChain.accept({ lease: receipt.lease, n, due, receipt: bytes }, endorsement, signal);
      const said = { receipt: toBase64Url(bytes), endorsement: toBase64Url(endorsement) };
      if ((deposits.get(lease)?.endorsed?.n ?? 0) < n)
        await deposits.change(lease, { endorsed: { n, dueMicro: `${due}`, ...said } });
      soon(lease);
      news(lease);
      return n;
    },
    met(peer) {
      for (const { lease, role, peer: other } of deposits.list().filter(isPending))
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

const codeOf = (error: unknown): { readonly code: string; readonly message: string } =>
  PeerAiError.is(error) ? error : { code: 'INTERNAL', message: 'an unknown failure' };
