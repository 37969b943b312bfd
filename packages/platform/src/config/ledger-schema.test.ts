import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerAiError } from '@peerai/core-protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { setConfigKey } from './explain.ts';
import { loadConfig } from './load-config.ts';
import { shownConfig } from './shown.ts';

const folder = mkdtempSync(join(tmpdir(), 'peerai-ledger-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const load = (text: string, env: Record<string, string> = {}) => {
  const file = join(folder, 'peerai.yaml');
  writeFileSync(file, text);
  return loadConfig({ env, file, cwd: folder }).config;
};
function refusal(text: string): string {
  try {
    load(text);
    return 'nothing';
  } catch (error) {
    return PeerAiError.is(error) ? error.message : String(error);
  }
}
const contract = `0x${'ab'.repeat(20)}`;
const chain = `{rpc: "http://127.0.0.1:8545", chain_id: 31337, contract: "${contract}"}`;

describe('Where leases are settled', () => {
  it('is in the books of both, and no chain is known, unless the owner says so', () => {
    const { settlement, evm } = load('').ledger;
    expect([settlement, evm]).toEqual(['local', { wei_per_micro: 1_000_000_000, confirmations: 1 }]);
    expect(load(`ledger: {settlement: evm, evm: ${chain}}`).ledger.evm).toMatchObject({ chain_id: 31_337, contract });
    // A chain may be known before anything is settled there: its contract has to be put there first.
    expect(load('ledger: {evm: {rpc: "http://127.0.0.1:8545", chain_id: 1}}').ledger.settlement).toBe('local');
    const env = { PEERAI_LEDGER__EVM__CONTRACT: contract, PEERAI_LEDGER__EVM__CHAIN_ID: '5' };
    expect(load('', env).ledger.evm).toMatchObject({ contract, chain_id: 5 });
    expect(load(setConfigKey('', 'ledger.evm.contract', contract)).ledger.evm.contract).toBe(contract);
  });

  it.each([
    ['{settlement: evm}', /ledger\.evm\.rpc.*needs it; the address of a node/u],
    ['{settlement: evm, evm: {rpc: "http://127.0.0.1:1"}}', /ledger\.evm\.chain_id.*the number of the chain/u],
    ['{settlement: evm, evm: {rpc: "http://127.0.0.1:1", chain_id: 1}}', /contract.*`peerai market deploy` makes one/u],
    ['{settlement: bank}', /ledger\.settlement/u],
    ['{evm: {rpc: "ws://127.0.0.1:8545"}}', /no http or https address/u],
    ['{evm: {chain_id: 0}}', /at least 1/u],
    ['{evm: {wei_per_micro: 0}}', /at least 1/u],
    ['{evm: {wei_per_micro: 0.5}}', /whole number/u],
    ['{evm: {contract: "0x12"}}', /0x and 40 hex digits/u],
    [`{evm: {contract: ${contract}}}`, /in quotes/u],
  ])('%s is refused', (ledger, why) => {
    expect(refusal(`ledger: ${ledger}`)).toMatch(why);
  });

  it('is not asked round a proxy: there only a node of this machine', () => {
    const proxy = (rpc: string) => `ledger: {evm: {rpc: "${rpc}"}}\nsecurity: {enable_tor: true}`;
    expect(refusal(proxy('https://node.example'))).toMatch(/goes round the proxy/u);
    expect(load(proxy('http://localhost:8545')).ledger.evm.rpc).toBe('http://localhost:8545');
  });

  it('is shown without what a hosted node’s address may give away', () => {
    const shown = (rpc: string) => shownConfig(load(`ledger: {evm: {rpc: "${rpc}"}}`)).ledger.evm.rpc;
    expect(shown('http://127.0.0.1:8545')).toBe('http://127.0.0.1:8545');
    for (const rpc of [
      'https://node.example/v3/a-secret',
      'https://node.example/?key=a-secret',
      'https://me:a-secret@node.example',
    ])
      expect(shown(rpc)).toBe('https://node.example/… (not shown)');
  });
});
