import { callMethod, fromHex, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import { openCheckpoint } from '@peerai/ledger';
import type { Check } from '../doctor/doctor.schema.ts';
import type { CommonsDeps } from '../commons/commons.ts';
import { type AllEscrows, createChainEscrows } from './chain-escrows.ts';
import { chainLink } from './chain-link.ts';
import type { ChainWorld } from './chain-world.ts';
import { checkChain } from './check.ts';
import { openDeposits } from './deposits.ts';
import { openKeyBook } from './key-book.ts';
import { createOnChain } from './on-chain.ts';
import type { AnchoredView, DeployedView, DepositView, PayoutView, SettlementView } from './settlement.schema.ts';
import { type SettlementAnswer, settlementMethod, type SettlementQuestion } from './settlement-protocol.ts';
import { chainView, depositView } from './views.ts';

export type Evm = typeof import('@peerai/ledger/evm');
export interface ChainDeps extends Omit<CommonsDeps, 'market' | 'chain'> {
  readonly chain: ChainWorld;
}

/** The chain, once something of it is used. */
export interface SettlementRoom {
  view(signal: AbortSignal): Promise<SettlementView>;
  /** As they were last seen; newest first. Asks nobody. */
  deposits(): DepositView[];
  deploy(signal: AbortSignal): Promise<DeployedView>;
  payout(signal: AbortSignal): Promise<PayoutView>;
  anchor(signal: AbortSignal): Promise<AnchoredView>;
  check(signal: AbortSignal): Promise<Check[]>;
  readonly escrows: AllEscrows;
  answer(peer: PeerId, question: SettlementQuestion, signal: AbortSignal): Promise<SettlementAnswer>;
  met(peer: PeerId): void;
  closed(): Promise<void>;
}

/** Throws KEY_FILE_OPEN, KEY_FILE_BROKEN, KEY_PASSPHRASE_*, KEY_REFUSED. */
export async function openSettlementRoom(deps: ChainDeps): Promise<SettlementRoom> {
  const { chain, devices, nameOf, stopping } = deps;
  const evm = await chain.load();
  const key = evm.settlementKey(await chain.secret());
  const keys = await openKeyBook(deps, evm, key);
  const deposits = await openDeposits(deps.store.room('chain-deposits'));
  const link = chainLink(evm, chain, key, stopping);
  const ask = async (peer: PeerId, question: SettlementQuestion, signal: AbortSignal) => {
    const addresses = devices.get(peer)?.addresses ?? [];
    return callMethod(deps, peer, settlementMethod, question, { signal, addresses });
  };
  const meet = async (peer: PeerId, signal: AbortSignal): Promise<void> => {
    const nothing = { receipt: undefined, endorsement: undefined, lease: undefined };
    const question = { kind: 'key', statement: keys.own, ...nothing } as const;
    const answer = await ask(peer, question, signal);
    checkPlace(chain, answer, nameOf(peer));
    if (answer.statement !== undefined) await keys.take(peer, answer.statement);
  };
  const onChain = createOnChain(deps, evm, { link, keys, deposits });
  const escrows = createChainEscrows(deps, { onChain, deposits, meet, ask });
  const place = () => ({
    chainId: chain.chainId,
    contract: fromHex((chain.contract ?? '0x').slice(2).toLowerCase()),
    weiPerMicro: chain.weiPerMicro,
  });
  return {
    async view(signal) {
      const facts = { chain, address: key.address, link, credit: () => onChain.credit(signal) };
      return {
        v: 1,
        kind: chain.settles ? 'evm' : 'local',
        chain: await chainView(facts, signal),
      };
    },
    deposits: () =>
      deposits
        .list()
        .map((one) => depositView(one, chain, nameOf))
        .toReversed(),
    async deploy(signal) {
      const { contract, transaction, gasUsed } = await link.deploy(signal);
      const { chainId } = chain;
      return { v: 1, chainId, contract, address: key.address, transaction, gasUsed: `${gasUsed}` };
    },
    async payout(signal) {
      const wei = await onChain.credit(signal);
      if (wei === 0n) return { v: 1, address: key.address, wei: '0', transaction: null, gasUsed: '0' };
      const { transaction, gasUsed } = await onChain.withdraw(signal);
      return { v: 1, address: key.address, wei: `${wei}`, transaction, gasUsed: `${gasUsed}` };
    },
    async anchor(signal) {
      const { origin, size, note } = await deps.accounts.ledger.checkpoint();
      if (size === 0n) throw new PeerAiError('NOT_FOUND', 'there is nothing in this log yet');
      const { root } = openCheckpoint(deps.crypto, note);
      const { reference, done } = await onChain.anchor({ origin, size, root }, signal);
      const sent = done === undefined ? null : { transaction: done.transaction, gasUsed: `${done.gasUsed}` };
      return { v: 1, origin, size: Number(size), root: toHex(root), reference, sent };
    },
    check: (signal) => checkChain({ chain, address: key.address, link, deposits: deposits.list() }, signal),
    escrows,
    async answer(peer, question, signal) {
      if (question.kind === 'key') {
        if (question.statement !== undefined) await keys.take(peer, question.statement);
        return { statement: keys.own, ...place(), n: 0 };
      }
      return { statement: undefined, ...place(), n: await escrows.endorsed(peer, question, signal) };
    },
    met: (peer) => escrows.met(peer),
    closed: () => escrows.closed(),
  };
}

/** Both settle in the same contract, at the same price, or not at all. Throws SETTLEMENT_FAILED. */
function checkPlace({ chainId, contract, weiPerMicro }: ChainWorld, theirs: SettlementAnswer, name: string): void {
  const wrong = (what: string, there: number | bigint | string, here: number | bigint | string): void => {
    if (there === here) return;
    const message = `${name} settles with another ${what}: ${there} there, ${here} here`;
    throw new PeerAiError('SETTLEMENT_FAILED', message);
  };
  wrong('chain', theirs.chainId, chainId);
  wrong('contract', `0x${toHex(theirs.contract)}`, (contract ?? 'none').toLowerCase());
  wrong('rate, wei for a micro-credit', theirs.weiPerMicro, weiPerMicro);
}
