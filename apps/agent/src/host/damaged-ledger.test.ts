import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createIdentity, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { openLedger } from '@peerai/ledger';
import { tileFiles } from '@peerai/ledger/sync';
import { systemClock, systemRandom } from '@peerai/platform';
import { directories, loadOrCreateSeed, openStore } from '@peerai/platform/node';
import { afterAll, expect, test } from 'vitest';
import { homes, peerai, up } from '../../test/cli.ts';

const folders = homes();
afterAll(() => folders.remove());
const count = 300;

/** A home whose log has entries, and an export of them. */
async function homeWithLog(): Promise<{ readonly home: string; readonly file: string; readonly exported: string }> {
  const home = folders.make();
  const exported = folders.make();
  const { files } = directories({ env: {}, home });
  const { seed } = await loadOrCreateSeed(files.identity, { random: systemRandom });
  const store = await openStore(files.store);
  const identity = createIdentity(nodeCrypto, seed);
  const ledger = await openLedger({
    store: store.room('ledger'),
    identity,
    crypto: nodeCrypto,
    clock: systemClock,
  });
  await ledger.append(Array.from({ length: count }, (_, n) => ({ kind: 'note', body: utf8(`remember ${n}.`) })));
  const { note, size } = await ledger.checkpoint();
  for await (const { path, bytes } of tileFiles(nodeCrypto, { note, entries: ledger.read(0n, size) })) {
    const file = join(exported, ...path.split('/'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  await store.close();
  return { home, file: files.store, exported };
}

/** Turns one bit of the store's file over, so many bytes after each place where the text stands. */
function damage(file: string, text: string, after: number): void {
  const bytes = readFileSync(file);
  let found = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), found += 1)
    bytes[at + after] = (bytes[at + after] ?? 0) ^ 1;
  expect(found).toBeGreaterThan(0);
  writeFileSync(file, bytes);
}

test(
  'an agent whose log is damaged on disk starts, says which command helps, and that command puts everything back',
  { timeout: 180_000 },
  async () => {
    const { home, file, exported } = await homeWithLog();
    damage(file, 'remember 290.', 3);
    const agent = await up(home);
    expect(agent.child.told.stderr).toContain('LEDGER_DAMAGED');
    const tail = await agent.run(['ledger', 'tail']);
    expect([tail.code, tail.stderr]).toEqual([6, expect.stringMatching(/entry 290[^]*`peerai ledger repair`/u)]);
    expect((await agent.run(['doctor'])).stdout).toMatch(/Ledger[^]*entry 290[^]*peerai ledger repair/u);
    // Nobody is here who has a copy, and an export is for when the agent is off.
    const nobody = await agent.run(['ledger', 'repair']);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('peerai ledger repair --from')]);
    const locked = await agent.run(['ledger', 'repair', '--from', exported]);
    expect([locked.code, locked.stderr]).toEqual([1, expect.stringContaining('peerai down')]);
    await agent.end();
    const repaired = await peerai(['ledger', 'repair', '--from', exported], { home });
    expect([repaired.code, repaired.stdout, repaired.stderr]).toEqual([
      0,
      expect.stringContaining('1 entry put back'),
      '',
    ]);

    // The head's own fields: the checkpoint among them still says what was signed.
    damage(file, `\n${count}\n`, 215);
    const again = await up(home);
    expect((await again.run(['doctor'])).stdout).toContain('the head is not what the checkpoint says');
    expect(await again.json(['ledger', 'repair'])).toMatchObject({ size: count, restored: 0, from: again.info.peerId });
    expect((await again.run(['ledger', 'verify'])).stdout).toContain(`${count} entries`);
    await again.end();
  },
);

test('a home without a peer has nothing to repair', async () => {
  const { exported } = await homeWithLog();
  const { code, stderr } = await peerai(['ledger', 'repair', '--from', exported], { home: folders.make() });
  expect([code, stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);
});
