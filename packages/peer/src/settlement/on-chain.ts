import { fromBase64Url, fromHex, PeerAiError, toHex } from '@peerai/core-protocol';
import type { Escrow, EscrowTerms, FinalReceipt, LogHead } from '@peerai/ledger/market';
import type { Done, EvmSettlement } from '@peerai/ledger/evm';
import type { ChainLink } from './chain-link.ts';
import type { Deposit, Deposits } from './deposits.ts';
import type { KeyBook } from './key-book.ts';
import type { ChainDeps, Evm } from './room.ts';

interface Parts {
  readonly link: ChainLink;
  readonly keys: KeyBook;
  readonly deposits: Deposits;
}
/** The contract, one lease at a time: what was written there is noted beside the lease's deposit. */
export interface OnChain {
  /** Throws what `Settlement.open` throws, and what a call throws. */
  open(terms: EscrowTerms, signal: AbortSignal): Promise<Escrow>;
  endorse(last: FinalReceipt, signal: AbortSignal): Promise<Uint8Array>;
  accept(last: FinalReceipt, endorsement: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Hands in the endorsed receipt. */
  settle(deposit: Deposit, last: FinalReceipt, signal: AbortSignal): Promise<void>;
  refund(deposit: Deposit, signal: AbortSignal): Promise<void>;
  /** Writes down what the chain says of it now; `none` is only said once its time is over. */
  look(deposit: Deposit, signal: AbortSignal): Promise<Escrow | undefined>;
  credit(signal: AbortSignal): Promise<bigint>;
  withdraw: EvmSettlement['withdraw'];
  /** Keeps a head of a log there; nothing is sent where it stands there already. */
  anchor(head: LogHead, signal: AbortSignal): Promise<{ readonly reference: string; readonly done: Done | undefined }>;
}

export function createOnChain(deps: ChainDeps, evm: Evm, { link, keys, deposits }: Parts): OnChain {
  const { chain, crypto, identity, store } = deps;
  const of = (lease: string): EvmSettlement =>
    evm.evmSettlement(
      {
        store: store.room('chain-escrows'),
        crypto,
        self: identity.peer,
        chain: (signal) =>
          link.contract(signal, (what, { transaction, gasUsed }) => {
            if (what === 'anchor') anchored = { transaction, gasUsed };
            if (what === 'anchor') return;
            const done = { transaction, gasUsed: `${gasUsed}` };
            written.set(lease, { ...written.get(lease), ...(what === 'open' ? { opened: done } : { closed: done }) });
          }),
        settlementKeyOf: (peer) => keys.of(peer),
        async endorsementOf({ n }) {
          const endorsed = deposits.get(lease)?.endorsed;
          return endorsed?.n === n ? fromBase64Url(endorsed.endorsement) : undefined;
        },
      },
      { weiPerMicro: chain.weiPerMicro },
    );
  /** Transactions of ours that are not in their deposit's row yet. */
  const written = new Map<string, Partial<Pick<Deposit, 'opened' | 'closed'>>>();
  const keep = async (lease: string, { state, paid, reference }: Escrow): Promise<void> => {
    await deposits.change(lease, {
      state,
      reference,
      paidMicro: `${paid}`,
      failure: null,
      ...written.get(lease),
    });
    written.delete(lease);
  };
  let anchored: Done | undefined;
  const look: OnChain['look'] = async ({ lease }, signal) => {
    const found = await of(lease).get(fromHex(lease), signal);
    if (found !== undefined) await keep(lease, found);
    return found;
  };
  return {
    async open(terms, signal) {
      const lease = toHex(terms.lease);
      const opened = await of(lease).open(terms, signal);
      if (opened.state !== 'open') throw new PeerAiError('ESCROW_STATE', 'the escrow of this lease is closed already');
      await keep(lease, opened);
      return opened;
    },
    endorse: (last, signal) => of(toHex(last.lease)).endorse(last, signal),
    accept: (last, endorsement, signal) => of(toHex(last.lease)).accept(last, endorsement, signal),
    settle: async ({ lease }, last, signal) => keep(lease, await of(lease).settle(last, signal)),
    refund: async ({ lease }, signal) => keep(lease, await of(lease).refund(fromHex(lease), signal)),
    look,
    credit: (signal) => of('').credit(signal),
    withdraw: (signal) => of('').withdraw(signal),
    async anchor(head, signal) {
      anchored = undefined;
      const { reference } = await of('').anchor(head, signal);
      return { reference, done: anchored };
    },
  };
}
