import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { crypto, flipped, ledgerWorld, notes } from '../../test/world.ts';
import { receiptEntry } from '../receipt/receipt.ts';
import { checksAside } from './aside.ts';
import type { VerifyAside } from './check.ts';

/** Answers when it is told to. */
function slowCheck() {
  const open: ((holds: boolean) => void)[] = [];
  const verifyAside: VerifyAside = () => new Promise((resolve) => open.push(resolve));
  const finish = async (count: number, holds = true): Promise<void> => {
    for (const resolve of open.splice(0, count)) resolve(holds);
    await Promise.resolve();
  };
  return { verifyAside, finish };
}
const one = utf8('x');

test('as many signatures as the limit are under way, then it waits until half of them are over', async () => {
  const { verifyAside, finish } = slowCheck();
  const aside = checksAside(crypto, verifyAside, 4);
  for (let count = 0; count < 3; count += 1) expect(aside.crypto.ed25519.verify(one, one, one)).toBe(true);
  expect(aside.hasRoom()).toBeUndefined();
  aside.crypto.ed25519.verify(one, one, one);
  let isRoom = false;
  const room = aside.hasRoom()?.then(() => (isRoom = true));
  await finish(1);
  expect(isRoom).toBe(false);
  await finish(1);
  await room;
  expect(aside.hasRoom()).toBeUndefined();
  const all = aside.allHold();
  await finish(2);
  expect(await all).toBe(true);
});

test('one that does not hold, or cannot be checked, is told in the end', async () => {
  const { verifyAside, finish } = slowCheck();
  const aside = checksAside(crypto, verifyAside, 4);
  for (let count = 0; count < 3; count += 1) aside.crypto.ed25519.verify(one, one, one);
  await finish(1, false);
  await finish(2);
  expect(await aside.allHold()).toBe(false);
  const broken = checksAside(crypto, async () => Promise.reject(new Error('no thread')), 4);
  broken.crypto.ed25519.verify(one, one, one);
  expect(await broken.allHold()).toBe(false);
});

test('a log of receipts checked aside gives what a check here gives, and names the same entry where a signature is wrong', async () => {
  const [provider, consumer] = [await ledgerWorld(31), await ledgerWorld(32)];
  const full: Uint8Array[] = [];
  for (let count = 0; count < 40; count += 1) {
    const answer = {
      lease: new Uint8Array(8),
      requestId: `r${count}`,
      model: 'nano',
      workHash: new Uint8Array(32),
    };
    const half = await provider.book.issue({
      ...answer,
      consumer: consumer.identity.peer,
      usage: { promptTokens: 12, answerTokens: 40 },
    });
    const facts = { ...answer, promptTokensMax: 100, answerTokensMax: 64, provider: provider.identity.peer };
    full.push(await consumer.book.countersign(half, facts));
  }
  let [asked, underWay, most] = [0, 0, 0];
  const verifyAside: VerifyAside = async (...given) => {
    asked += 1;
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise(setImmediate);
    underWay -= 1;
    return crypto.ed25519.verify(...given);
  };
  const { ledger } = consumer;
  await ledger.append(notes(3));
  expect(await ledger.verify({ verifyAside })).toEqual(await ledger.verify());
  // Both sides of each receipt, and the checkpoint.
  expect([asked, most >= 64, most <= 66]).toEqual([81, true, true]);

  // In its own log, in order, with hashes that fit: only the second signature is wrong.
  const last = full.at(-1) ?? new Uint8Array();
  const liar = await ledgerWorld(32, {});
  await liar.ledger.append([...full.slice(0, -1).map(receiptEntry), receiptEntry(flipped(last, last.length - 1))]);
  const found = await liar.ledger.verify({ verifyAside });
  expect(found).toMatchObject({ ok: false, checked: 39n, firstBad: { index: 39n } });
  expect(found).toEqual(await liar.ledger.verify());
});
