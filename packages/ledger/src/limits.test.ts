import { beforeAll, describe, expect, test } from 'vitest';
import { all, crypto, type LedgerWorld, ledgerWorld, notes, rowsOf } from '../test/world.ts';
import { limits } from './limits.ts';
import { tileFiles } from './sync/index.ts';
import type { VerifyAside } from './log/check.ts';
import { tileKey } from './log/rows.ts';

test('a tile is stored, and served whole, with its last hash: none with one fewer, a second one begun with one more', async () => {
  const world = await ledgerWorld(41);
  const stored = async () => (await rowsOf(world.room)).map(({ key }) => key).filter((key) => key.startsWith('t/'));
  const served = async () => {
    const { note, size } = await world.ledger.checkpoint();
    const files = await all(tileFiles(crypto, { note, entries: world.ledger.read(0n, size) }));
    return files.map(({ path }) => path).filter((path) => path.startsWith('tile/0/'));
  };
  await world.ledger.append(notes(limits.tileHashes - 1));
  expect([await stored(), await served()]).toEqual([[], [`tile/0/000.p/${limits.tileHashes - 1}`]]);
  await world.ledger.append(notes(1));
  expect([await stored(), await served()]).toEqual([[tileKey(0, 0n), tileKey(1, 0n)], ['tile/0/000']]);
  await world.ledger.append(notes(1));
  expect([await stored(), await served()]).toEqual([
    [tileKey(0, 0n), tileKey(1, 0n)],
    ['tile/0/000', 'tile/0/001.p/1'],
  ]);
});

describe('a log whose signatures are checked aside', () => {
  /** Two signatures each. */
  const receipts = limits.signaturesAsideMax / 2 + 1;
  let consumer: LedgerWorld;
  beforeAll(async () => {
    const provider = await ledgerWorld(42);
    consumer = await ledgerWorld(43);
    const answer = { lease: new Uint8Array(8), model: 'nano', workHash: new Uint8Array(32) };
    const facts = { ...answer, promptTokensMax: 9, answerTokensMax: 9, provider: provider.identity.peer };
    for (let count = 0; count < receipts; count += 1) {
      const requestId = `r${count}`;
      const usage = { promptTokens: 1, answerTokens: 1 };
      const half = await provider.book.issue({ ...answer, requestId, consumer: consumer.identity.peer, usage });
      await provider.book.complete(await consumer.book.countersign(half, { ...facts, requestId }));
    }
  });

  test('hands over `signaturesTogether` at once, stops at `signaturesAsideMax`, and goes on when half of them are checked', async () => {
    const sizes: number[] = [];
    const open: (() => void)[] = [];
    let more = Promise.withResolvers<void>();
    const verifyAside: VerifyAside = (signed) => {
      sizes.push(signed.length);
      more.resolve();
      return new Promise((resolve) => open.push(() => resolve(true)));
    };
    const handed = (): number => sizes.reduce((sum, size) => sum + size, 0);
    const found = consumer.ledger.verify({ verifyAside });
    while (handed() < limits.signaturesAsideMax) {
      more = Promise.withResolvers<void>();
      await more.promise;
    }
    const full = limits.signaturesAsideMax / limits.signaturesTogether;
    expect(sizes).toEqual(Array.from({ length: full }, () => limits.signaturesTogether));
    const turns = async () => {
      for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
      await new Promise(setImmediate);
    };
    // Two more and the checkpoint's own are there to be checked, and wait; one batch fewer than half is not enough to go on.
    await turns();
    expect(handed()).toBe(limits.signaturesAsideMax);
    for (const answer of open.splice(0, full / 2 - 1)) answer();
    await turns();
    expect(handed()).toBe(limits.signaturesAsideMax);
    more = Promise.withResolvers<void>();
    for (const answer of open.splice(0, 1)) answer();
    await more.promise;
    expect(sizes.slice(full)).toEqual([3]);
    for (const answer of open) answer();
    expect(await found).toMatchObject({ ok: true, receipts });
  });
});
