import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directories, loadConfig } from '@peerai/platform/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chainWorld } from './chain-world.ts';
import { openHome } from './home.ts';
import { undoList } from './undo.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'peerai-chain-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** With these settings below `ledger.evm`. */
async function chainOf(evm: string, settlement = 'local') {
  const file = join(home, 'peerai.yaml');
  writeFileSync(file, `ledger: {settlement: ${settlement}, evm: ${evm}}`);
  const { config } = loadConfig({ env: {}, file, cwd: home });
  const undo = undoList();
  try {
    const opened = await openHome(directories({ env: {}, home }), undo);
    const { chain } = await chainWorld(config, opened);
    return { chain, secret: await chain?.secret() };
  } finally {
    await undo.run();
  }
}
const modeOf = (file: string): number | undefined => {
  const found = statSync(join(home, file), { throwIfNoEntry: false });
  return found === undefined ? undefined : found.mode & 0o777;
};

test('without a node there is no chain, and no key for one', async () => {
  expect((await chainOf('{}')).chain).toBeUndefined();
  expect(modeOf('settlement.key')).toBeUndefined();
});

test('with one there is a key of its own, 0600, the same at the next start, where the owner wants it', async () => {
  const node = 'rpc: "http://127.0.0.1:8545", chain_id: 31337';
  const { chain, secret } = await chainOf(`{${node}, wei_per_micro: 7, confirmations: 12}`);
  expect(chain).toMatchObject({ rpcUrl: 'http://127.0.0.1:8545', chainId: 31_337, weiPerMicro: 7n, settles: false });
  expect(chain).toMatchObject({ confirmations: 12 });
  expect((await chainOf(`{${node}}`)).chain).toMatchObject({ confirmations: 1 });
  for (const wrong of [0, 13])
    await expect(chainOf(`{${node}, confirmations: ${wrong}}`)).rejects.toThrow('confirmations');
  expect(modeOf('settlement.key')).toBe(0o600);
  const contract = `0x${'ab'.repeat(20)}`;
  const again = await chainOf(`{${node}, contract: "${contract}"}`, 'evm');
  expect(again).toMatchObject({ chain: { settles: true, contract }, secret });
  const elsewhere = await chainOf(`{${node}, key_file: "${join(home, 'other.key')}"}`);
  expect(elsewhere.secret).not.toEqual(secret);
  expect(modeOf('other.key')).toBe(0o600);
  // The identity's file is no settlement key.
  await expect(
    chainOf(`{${node}, contract: "${contract}", key_file: "${join(home, 'identity.key')}"}`, 'evm'),
  ).rejects.toMatchObject({
    code: 'KEY_FILE_BROKEN',
  });
});
