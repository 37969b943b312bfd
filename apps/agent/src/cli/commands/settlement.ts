import type { DepositView, MarketView, SettlementView } from '@peerai/peer/control';
import { command } from '../command.ts';
import { table } from '../plain.ts';
import { creditsText } from '../words.ts';

const idChars = 12;
const weiPerEther = 10n ** 18n;

export const settlement = command(
  'settlement',
  'Where leases are settled; on a chain: its node, this peer’s address, and what lies there',
  {} as const,
  async ({ agent, output, signal }) => {
    const { client } = await agent();
    const [found, { deposits }] = [await client.settlement(signal), await client.market(signal)];
    output.data({ ...found, deposits }, () => settlementText(found, deposits));
  },
);
export const deploy = command(
  'deploy',
  'Put the escrow contract on the configured chain, paid by this peer’s settlement key',
  {} as const,
  async ({ agent, output, signal }) => {
    const done = await (await agent()).client.deployContract(signal);
    output.note('Both peers of a lease name it, then restart:');
    output.note(`  peerai config set ledger.evm.contract ${done.contract}`);
    output.note('  peerai config set ledger.settlement evm');
    output.data(done, () =>
      table([
        ['contract', done.contract],
        ['chain', `${done.chainId}`],
        ['paid by', done.address],
        ['transaction', done.transaction],
        ['gas', done.gasUsed],
      ]),
    );
  },
);
export const payout = command(
  'payout',
  'Take what the contract owes this peer to its own address',
  {} as const,
  async ({ agent, output, signal }) => {
    const done = await (await agent()).client.payOut(signal);
    const { transaction } = done;
    output.data(done, () =>
      transaction === null
        ? `Nothing is owed to ${done.address}: nothing was sent.`
        : table([
            ['paid out', etherText(done.wei)],
            ['to', done.address],
            ['transaction', transaction],
            ['gas', done.gasUsed],
          ]),
    );
  },
);

/** In the chain's own coin, 18 places behind the point. */
function etherText(wei: string): string {
  const amount = BigInt(wei);
  const places = `${amount % weiPerEther}`.padStart(18, '0').replace(/0+$/u, '');
  return `${amount / weiPerEther}${places === '' ? '' : `.${places}`} of the chain’s coin`;
}

function settlementText({ kind, chain }: SettlementView, deposits: MarketView['deposits']): string {
  const where =
    kind === 'local'
      ? 'Leases are settled in the books of both peers: no chain holds anything for new ones.'
      : 'Leases of models, storage and nodes are settled on a chain: the borrower deposits the price before the lender begins.';
  if (chain === null) return `${where}\nTo use a chain: peerai config explain ledger.evm`;
  const { node, chainId, contract, address, balanceWei, creditWei, weiPerMicro, problem } = chain;
  const facts = table([
    ['node', problem === null ? `${node}, chain ${chainId}` : `${node}: ${problem.message}`],
    ['contract', contract ?? 'none yet: peerai market deploy'],
    ['our address', address],
    ['it holds', balanceWei === null ? 'not known now' : etherText(balanceWei)],
    ['owed to it', creditWei === null ? 'not known now' : `${etherText(creditWei)}; to take it: peerai market payout`],
    ['a credit is', etherText(`${BigInt(weiPerMicro) * 1_000_000n}`)],
  ]);
  return [where, facts, ...(deposits.length === 0 ? [] : [depositsText(deposits)])].join('\n\n');
}

/** Leases by row; where any lies on a chain, with what was last seen there. */
export function leaseTable<T extends { readonly id: string }>(
  head: readonly string[],
  leases: readonly T[],
  rowOf: (lease: T) => readonly string[],
  deposits: readonly DepositView[],
): string {
  if (deposits.length === 0) return table([[...head], ...leases.map((one) => [...rowOf(one)])]);
  const onChain = new Map(deposits.map((one) => [one.lease, onChainText(one)]));
  return table([[...head, 'ON CHAIN'], ...leases.map((one) => [...rowOf(one), onChain.get(one.id) ?? ''])]);
}

/** As a lease's row says it. */
const onChainText = ({ state, failure }: DepositView): string =>
  failure === null ? state : `${state}, tried again (${failure.code})`;

function depositsText(deposits: readonly DepositView[]): string {
  const rows = deposits.map((one) => [
    one.lease.slice(0, idChars),
    one.of,
    one.peerName,
    one.role,
    onChainText(one),
    creditsText(one.amountMicro),
    creditsText(one.paidMicro),
    transactionText(one.opened),
    transactionText(one.closed),
  ]);
  return table([
    ['LEASE', 'OF', 'PEER', 'ROLE', 'ON CHAIN', 'DEPOSIT', 'PAID', 'OPENED BY US', 'CLOSED BY US'],
    ...rows,
  ]);
}

const transactionText = (done: DepositView['opened']): string =>
  done === null ? '' : `${done.transaction} (gas ${done.gasUsed})`;
