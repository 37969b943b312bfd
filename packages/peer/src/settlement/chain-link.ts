import { orAborted, PeerAiError } from '@peerai/core-protocol';
import type { Done, EscrowChain, EvmAddress, SettlementKey } from '@peerai/ledger/evm';
import { onDemand } from '../store/on-demand.ts';
import type { ChainWorld } from './chain-world.ts';
import type { Evm } from './room.ts';

/** What a transaction of ours did. */
export type Wrote = (what: 'open' | 'close' | 'anchor', done: Done) => void;

/** The way to the node and its contract: opened when it is first needed, again after it failed. */
export interface ChainLink {
  /** @param wrote - hears of each transaction about a lease that is in a block. Throws SETTLEMENT_FAILED, and the signal's reason. */
  contract(signal: AbortSignal, wrote?: Wrote): Promise<EscrowChain>;
  /** Throws as `deployEscrow`. */
  deploy(signal: AbortSignal): Promise<Done & { readonly contract: EvmAddress }>;
  node(signal: AbortSignal): Promise<{ readonly chainId: number; readonly balance: bigint }>;
}

export function chainLink(evm: Evm, chain: ChainWorld, key: SettlementKey, stopping: AbortSignal): ChainLink {
  const { rpcUrl, chainId, pollingMs, confirmations } = chain;
  const options = {
    rpcUrl,
    chainId,
    key,
    ...(pollingMs === undefined ? {} : { pollingMs }),
    ...(confirmations === undefined ? {} : { confirmations }),
  };
  const held = onDemand(async () => {
    if (chain.contract !== undefined)
      return evm.connectEscrow({ ...options, contract: chain.contract as EvmAddress }, stopping);
    const hint = 'deploy one with: peerai market deploy, and name it in ledger.evm.contract';
    throw new PeerAiError('SETTLEMENT_FAILED', `no escrow contract is configured; ${hint}`);
  });
  let last: Promise<unknown> = Promise.resolve();
  /** A transaction names its place after the one before: two at once would take the same. */
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    async contract(signal, wrote) {
      const opened = await orAborted(held.get(), signal);
      const noted = async (what: Parameters<Wrote>[0], work: () => Promise<Done>): Promise<Done> => {
        const done = await inTurn(work);
        wrote?.(what, done);
        return done;
      };
      return {
        ...opened,
        open: (...args) => noted('open', () => opened.open(...args)),
        settle: (...args) => noted('close', () => opened.settle(...args)),
        close: (...args) => noted('close', () => opened.close(...args)),
        refund: (...args) => noted('close', () => opened.refund(...args)),
        withdraw: (signal_) => inTurn(() => opened.withdraw(signal_)),
        anchor: (...args) => noted('anchor', () => opened.anchor(...args)),
      };
    },
    deploy: (signal) => inTurn(() => evm.deployEscrow(options, signal)),
    node: (signal) => evm.askNode(options, signal),
  };
}
