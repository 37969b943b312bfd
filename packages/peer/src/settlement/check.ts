import { PeerAiError } from '@peerai/core-protocol';
import type { EvmAddress } from '@peerai/ledger/evm';
import type { Check } from '../doctor/doctor.schema.ts';
import type { ChainLink } from './chain-link.ts';
import type { ChainWorld } from './chain-world.ts';
import { type Deposit, isPending } from './deposits.ts';

interface Facts {
  readonly chain: ChainWorld;
  readonly address: EvmAddress;
  readonly link: ChainLink;
  readonly deposits: readonly Deposit[];
}
const base = { id: 'settlement', title: 'Settlement' } as const;

/** Whether leases can be settled on the chain now: the node, the contract, the money for gas, and what waits. */
export async function checkChain({ chain, address, link, deposits }: Facts, signal: AbortSignal): Promise<Check[]> {
  const failing = deposits.filter((one) => isPending(one) && one.failure !== null);
  const waiting = failing.map(({ lease, failure }): Check => ({
    id: `settlement-${lease.slice(0, 12)}`,
    title: `Escrow ${lease.slice(0, 12)}`,
    state: 'look',
    cause: `Not settled yet: ${failure?.message ?? ''}. It is tried again.`,
    remedy: 'Nothing is lost while the lender has its endorsements and a day; see that the node answers.',
    command: 'peerai market settlement',
  }));
  return [await placeCheck({ chain, address, link }, signal), ...waiting];
}

async function placeCheck({ chain, address, link }: Omit<Facts, 'deposits'>, signal: AbortSignal): Promise<Check> {
  try {
    const { chainId, balance } = await link.node(signal);
    if (chain.contract !== undefined) await link.contract(signal);
    const where = `Chain ${chainId} at ${new URL(chain.rpcUrl).host} answers`;
    if (balance > 0n) return { ...base, state: 'ok', cause: `${where}; ${address} can pay for gas.` };
    const cause = `${where}; ${address} has nothing to pay gas with.`;
    return { ...base, state: 'look', cause, remedy: 'Send some of the chain’s money there.' };
  } catch (error) {
    if (signal.aborted || !PeerAiError.is(error)) throw error;
    return {
      ...base,
      state: 'broken',
      cause: error.message,
      remedy: 'Leases on the chain neither begin nor end until it works; those under way are kept.',
      command: 'peerai config explain ledger.evm',
    };
  }
}
