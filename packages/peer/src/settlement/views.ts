import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { EvmAddress } from '@peerai/ledger/evm';
import type { ChainLink } from './chain-link.ts';
import type { ChainWorld } from './chain-world.ts';
import type { Deposit } from './deposits.ts';
import type { DepositView, SettlementView } from './settlement.schema.ts';

export interface ChainFacts {
  readonly chain: ChainWorld;
  readonly address: EvmAddress;
  readonly link: ChainLink;
  readonly credit: () => Promise<bigint>;
}

/** What the node says now; what it does not say is absent, with the reason. */
export async function chainView(
  { chain, address, link, credit }: ChainFacts,
  signal: AbortSignal,
): Promise<NonNullable<SettlementView['chain']>> {
  const known = {
    node: new URL(chain.rpcUrl).host,
    chainId: chain.chainId,
    contract: chain.contract ?? null,
    weiPerMicro: `${chain.weiPerMicro}`,
    address,
  };
  try {
    const { balance } = await link.node(signal);
    const owed = chain.contract === undefined ? 0n : await credit();
    return { ...known, balanceWei: `${balance}`, creditWei: `${owed}`, problem: null };
  } catch (error) {
    if (signal.aborted || !PeerAiError.is(error)) throw error;
    return { ...known, balanceWei: null, creditWei: null, problem: { code: error.code, message: error.message } };
  }
}

export function depositView(
  deposit: Deposit,
  { weiPerMicro }: ChainWorld,
  nameOf: (peer: PeerId) => string,
): DepositView {
  const { peer, endorsed, endsMs: _ends, sinceMs: _since, amountMicro, paidMicro, ...rest } = deposit;
  const weiOf = (micro: string): string => `${BigInt(micro) * weiPerMicro}`;
  return {
    ...rest,
    peerId: peer,
    peerName: nameOf(peer),
    amountMicro,
    paidMicro,
    amountWei: weiOf(amountMicro),
    paidWei: weiOf(paidMicro),
    endorsed: endorsed?.n ?? 0,
  };
}
