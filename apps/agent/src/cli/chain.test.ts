import { type Anvil, startAnvil } from '@peerai/config/anvil';
import type { SettlementView } from '@peerai/peer/control';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, homes, upAs } from '../../test/cli.ts';

const folders = homes();
const ether = 10n ** 18n;
/** Where the agent is told the contract is; what `deploy` makes stands elsewhere, and its code is put here too. */
const place = `0x${'c0ffee'.padStart(40, '0')}`;
let node: Anvil;
let desk: Agent;
beforeAll(async () => {
  node = await startAnvil(Math.floor(Date.now() / 1000));
  const env = {
    PEERAI_LEDGER__EVM__RPC: node.rpcUrl,
    PEERAI_LEDGER__EVM__CHAIN_ID: '31337',
    PEERAI_LEDGER__EVM__CONTRACT: place,
  };
  desk = await upAs('desk', folders.make(), { env });
}, 60_000);
afterAll(async () => {
  await desk?.end();
  await node?.[Symbol.asyncDispose]();
  folders.remove();
});

/** Asks the node itself. */
async function ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await fetch(node.rpcUrl, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return ((await answer.json()) as { readonly result: T }).result;
}
const word = (value: bigint | string): string => BigInt(value).toString(16).padStart(64, '0');
/** The rows of a printed table, by their first words. */
const rowsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^(\S+(?: \S+)*) {2,}(\S.*?)\s*$/u.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
async function told(...args: readonly string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await desk.run(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stdout}${stderr}`);
  return rowsOf(stdout);
}
/** What the node says that a transaction took. */
async function gasOf(transaction: string | undefined): Promise<string> {
  const { gasUsed, status } = await ask<{ gasUsed: string; status: string }>('eth_getTransactionReceipt', transaction);
  expect(status).toBe('0x1');
  return BigInt(gasUsed).toString();
}

test(
  'commands that send to the chain print the transaction and the gas that the node counts for it',
  { timeout: 60_000 },
  async () => {
    const { chain } = await desk.json<SettlementView>(['market', 'settlement']);
    const address = chain?.address ?? '';
    expect(chain).toMatchObject({ chainId: 31_337, contract: place });
    expect(chain?.problem?.message).toContain('is not this program’s escrow contract');
    await ask('anvil_setBalance', address, `0x${ether.toString(16)}`);

    const deployed = await told('market', 'deploy');
    expect(deployed).toMatchObject({ chain: '31337', 'paid by': address });
    expect(deployed['gas']).toBe(await gasOf(deployed['transaction']));
    await ask('anvil_setCode', place, await ask<string>('eth_getCode', deployed['contract'], 'latest'));

    // What a lease would leave: the second row of the contract's storage is what each address may withdraw.
    const row = await ask<string>('web3_sha3', `0x${word(address)}${word(1n)}`);
    await ask('anvil_setStorageAt', place, row, `0x${word(ether / 4n)}`);
    await ask('anvil_setBalance', place, `0x${ether.toString(16)}`);
    const seen = await told('market', 'settlement');
    expect(seen['owed to it']).toMatch(/^0\.25 of the chain’s coin/u);
    const paid = await told('market', 'payout');
    expect(paid).toMatchObject({ 'paid out': '0.25 of the chain’s coin', to: address });
    expect(paid['gas']).toBe(await gasOf(paid['transaction']));
    // Nothing to do is no failure.
    const again = await desk.run(['market', 'payout']);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining(`Nothing is owed to ${address}`)]);
    expect(await desk.json(['market', 'payout'])).toMatchObject({ v: 1, wei: '0', transaction: null });

    await desk.json(['gov', 'create', 'home']);
    await desk.json(['gov', 'propose', 'home', 'Paint it']);
    const first = await told('ledger', 'anchor');
    expect(first['gas']).toBe(await gasOf(first['transaction']));
    expect(await told('ledger', 'anchor')).toMatchObject({
      root: first['root'],
      transaction: 'none: it stood there already',
      gas: '0',
    });
  },
);
