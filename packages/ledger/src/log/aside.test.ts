import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { crypto, flipped, ledgerWorld, notes } from '../../test/world.ts';
import { receiptEntry } from '../receipt/receipt.ts';
import { checksAside } from './aside.ts';
import type { VerifyAside } from './check.ts';

/** Answers when it is told to. */
function slowCheck() {
  const open: ((hold: boolean) => void)[] = [];
  const sizes: number[] = [];
  const verifyAside: VerifyAside = (signed) => {
    sizes.push(signed.length);
    return new Promise((resolve) => open.push(resolve));
  };
  const finish = async (count: number, hold = true): Promise<void> => {
    for (const resolve of open.splice(0, count)) resolve(hold);
    await Promise.resolve();
  };
  return { verifyAside, finish, sizes };
}
const one = utf8('x');
const take = (aside: ReturnType<typeof checksAside>, count: number): void => {
  for (let taken = 0; taken < count; taken += 1) expect(aside.crypto.ed25519.verify(one, one, one)).toBe(true);
};

test('signatures are handed over together; when as many as the limit are under way it waits until half of them are over', async () => {
  const { verifyAside, finish, sizes } = slowCheck();
  const aside = checksAside(crypto, verifyAside, { together: 2, underWayMax: 8 });
  take(aside, 7);
  expect([sizes, aside.hasRoom()]).toEqual([[2, 2, 2], undefined]);
  take(aside, 1);
  let isRoom = false;
  const room = aside.hasRoom()?.then(() => (isRoom = true));
  await finish(1);
  expect(isRoom).toBe(false);
  await finish(1);
  await room;
  expect(aside.hasRoom()).toBeUndefined();
  take(aside, 1);
  const all = aside.allHold();
  expect(sizes).toEqual([2, 2, 2, 2, 1]);
  await finish(3);
  expect(await all).toBe(true);
});

test('some that do not hold, or cannot be checked, are told in the end', async () => {
  const { verifyAside, finish } = slowCheck();
  const aside = checksAside(crypto, verifyAside, { together: 1, underWayMax: 4 });
  take(aside, 3);
  await finish(1, false);
  await finish(2);
  expect(await aside.allHold()).toBe(false);
  const noThread = async (): Promise<boolean> => Promise.reject(new Error('no thread'));
  const broken = checksAside(crypto, noThread, { together: 2, underWayMax: 4 });
  take(broken, 1);
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
  const asked: number[] = [];
  const verifyAside: VerifyAside = async (signed) => {
    asked.push(signed.length);
    await new Promise(setImmediate);
    return signed.every(({ signature, message, publicKey }) => crypto.ed25519.verify(signature, message, publicKey));
  };
  const { ledger } = consumer;
  await ledger.append(notes(3));
  expect(await ledger.verify({ verifyAside })).toEqual(await ledger.verify());
  // Both sides of each receipt, and the checkpoint.
  expect(asked).toEqual([64, 17]);

  // In its own log, in order, with hashes that fit: only the second signature is wrong.
  const last = full.at(-1) ?? new Uint8Array();
  const liar = await ledgerWorld(32, {});
  await liar.ledger.append([...full.slice(0, -1).map(receiptEntry), receiptEntry(flipped(last, last.length - 1))]);
  const found = await liar.ledger.verify({ verifyAside });
  expect(found).toMatchObject({ ok: false, checked: 39n, firstBad: { index: 39n } });
  expect(found).toEqual(await liar.ledger.verify());
});
