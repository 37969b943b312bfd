import { type PeerId, utf8 } from '@peerai/core-protocol';
import { settle } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { all, crypto, type LedgerWorld, ledgerWorld } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { countersign, type ExpectedFacts, issueReceipt, type UsageFacts } from './issue.ts';
import { openReceipt, readReceipt, receiptEntry } from './receipt.ts';

const lease = utf8('ticket-1');
const workHash = new Uint8Array(32);
const pair = async (seed = 1): Promise<readonly [LedgerWorld, LedgerWorld]> => {
  const provider = await ledgerWorld(seed);
  return [provider, await ledgerWorld(seed + 1_000, { clock: provider.clock })];
};
const facts = (consumer: PeerId, requestId: string, tokens = 5): UsageFacts => ({
  consumer,
  lease,
  requestId,
  model: 'nano',
  usage: { promptTokens: tokens, answerTokens: tokens + 1 },
  workHash,
});
const expected = (provider: PeerId, requestId: string): ExpectedFacts => ({
  provider,
  lease,
  requestId,
  model: 'nano',
  promptTokensMax: 1_000,
  answerTokensMax: 1_000,
  workHash,
});
const bodies = async (world: LedgerWorld): Promise<Uint8Array[]> =>
  (await all(world.ledger.entries(0n, world.ledger.size))).map(({ entry }) => entry.body);

describe('a receipt between two books', () => {
  test('is in both logs, word for word, and nothing is owed any more', async () => {
    const [p, c] = await pair();
    const half = await p.book.issue(facts(c.identity.peer, 'r1'));
    expect(await p.book.owes(c.identity.peer, lease)).toBe(true);
    expect(await p.book.unsigned(c.identity.peer, lease)).toEqual([half]);
    const full = await c.book.countersign(half, expected(p.identity.peer, 'r1'));
    expect(await bodies(c)).toEqual([full]);
    await p.book.complete(full);
    expect(await p.book.owes(c.identity.peer, lease)).toBe(false);
    expect(await bodies(p)).toEqual([full]);
    expect(await p.ledger.verify()).toMatchObject({ ok: true, receipts: 1 });
    expect(await c.ledger.verify()).toMatchObject({ ok: true, receipts: 1 });
  });

  test('is written once however often half and full arrive', async () => {
    const [p, c] = await pair(2);
    const half = await p.book.issue(facts(c.identity.peer, 'r1'));
    expect(await p.book.issue(facts(c.identity.peer, 'r1'))).toEqual(half);
    const sign = () => c.book.countersign(half, expected(p.identity.peer, 'r1'));
    const [full, again] = await Promise.all([sign(), sign()]);
    expect(again).toEqual(full);
    await Promise.all([p.book.complete(full), p.book.complete(full)]);
    await p.book.complete(full);
    expect(p.ledger.size).toBe(1n);
    expect(c.ledger.size).toBe(1n);
  });

  test('waits, owed, through a restart of the provider', async () => {
    const [p, c] = await pair(3);
    const half = await p.book.issue(facts(c.identity.peer, 'r1'), [p.store.room('budget').put('spent', utf8('11'))]);
    const again = await ledgerWorld(3, { store: p.store.reopen() });
    expect(await again.book.owes(c.identity.peer, lease)).toBe(true);
    expect(await again.store.room('budget').get('spent')).toEqual(utf8('11'));
    await again.book.complete(await c.book.countersign(half, expected(p.identity.peer, 'r1')));
    expect(await again.book.owes(c.identity.peer, lease)).toBe(false);
  });

  test('takes halves of parallel answers in any order, and files them in theirs', async () => {
    const [p, c] = await pair(4);
    const halves: Uint8Array[] = [];
    for (const id of ['r1', 'r2', 'r3']) halves.push(await p.book.issue(facts(c.identity.peer, id)));
    const late = [2, 1, 0].map((place) =>
      c.book.countersign(halves[place] ?? workHash, expected(p.identity.peer, `r${place + 1}`)),
    );
    const fulls = await Promise.all(late);
    for (const full of fulls) await p.book.complete(full);
    const order = (await bodies(p)).map((body) => readReceipt(body).n);
    expect(order).toEqual([1, 2, 3]);
    expect(await bodies(c)).toEqual(await bodies(p));
    expect(p.clock.pending).toBe(0);
  });

  test('gives up on a half whose forerunner never comes, after 5 s', async () => {
    const [p, c] = await pair(5);
    await p.book.issue(facts(c.identity.peer, 'r1'));
    const half = await p.book.issue(facts(c.identity.peer, 'r2'));
    const signing = c.book.countersign(half, expected(p.identity.peer, 'r2')).catch((error: unknown) => error);
    await p.clock.advance(limits.receiptOrderWaitMs - 1);
    await p.clock.advance(1);
    expect(await signing).toMatchObject({ code: 'RECEIPT_WRONG', details: { field: 'n' } });
    const stop = new AbortController();
    const stopped = c.book.countersign(half, expected(p.identity.peer, 'r2'), stop.signal);
    await settle();
    stop.abort(new Error('closed'));
    await expect(stopped).rejects.toThrow('closed');
    expect(c.ledger.size).toBe(0n);
  });

  test('tells who waits for the last signature', async () => {
    const [p, c] = await pair(6);
    const half = await p.book.issue(facts(c.identity.peer, 'r1'));
    const never = AbortSignal.abort(new Error('late'));
    await expect(p.book.settled(c.identity.peer, lease, never)).rejects.toThrow('late');
    const settled = p.book.settled(c.identity.peer, lease, new AbortController().signal);
    await p.book.complete(await c.book.countersign(half, expected(p.identity.peer, 'r1')));
    await settled;
    await p.book.settled(c.identity.peer, lease, never);
  });

  test('is refused by the provider when it never gave it, or when one side has not signed', async () => {
    const [p, c] = await pair(7);
    const [other] = await pair(8);
    const half = await p.book.issue(facts(c.identity.peer, 'r1'));
    await expect(p.book.complete(half)).rejects.toMatchObject({ code: 'INVALID_SIGNATURE' });
    const full = await c.book.countersign(half, expected(p.identity.peer, 'r1'));
    await expect(other.book.complete(full)).rejects.toMatchObject({ code: 'RECEIPT_WRONG' });
    const twin = await ledgerWorld(7);
    await expect(twin.book.complete(full)).rejects.toMatchObject({ code: 'RECEIPT_WRONG', details: { field: 'n' } });
    await twin.clock.advance(1);
    await twin.book.issue(facts(c.identity.peer, 'r1'));
    await expect(twin.book.complete(full)).rejects.toMatchObject({ code: 'RECEIPT_WRONG', details: { field: 'n' } });
  });

  test('is refused when another receipt has its place already, both signatures or not', async () => {
    const [p, c] = await pair(16);
    const half = await p.book.issue(facts(c.identity.peer, 'r1'));
    await p.book.complete(await c.book.countersign(half, expected(p.identity.peer, 'r1')));
    const other = issueReceipt(p, undefined, facts(c.identity.peer, 'r1', 9));
    const full = countersign(c, other, undefined, expected(p.identity.peer, 'r1'));
    await expect(p.book.complete(full)).rejects.toMatchObject({ code: 'RECEIPT_WRONG', details: { field: 'n' } });
    await expect(c.book.countersign(other, expected(p.identity.peer, 'r1'))).rejects.toMatchObject({
      code: 'RECEIPT_WRONG',
    });
    expect(p.ledger.size).toBe(1n);
  });

  test('leaves no more halves open than the limit', async () => {
    const [p, c] = await pair(9);
    for (let n = 0; n < limits.pendingReceiptsMax; n += 1) await p.book.issue(facts(c.identity.peer, `r${n}`));
    await expect(p.book.issue(facts(c.identity.peer, 'one more'))).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  });
});

test('a commit that fails leaves both sides able to go on from where they were', async () => {
  const [p, c] = await pair(10);
  p.store.failNextCommit('STORE_FULL');
  await expect(p.book.issue(facts(c.identity.peer, 'r1'))).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(await p.book.owes(c.identity.peer, lease)).toBe(false);
  const half = await p.book.issue(facts(c.identity.peer, 'r1'));
  expect(readReceipt(half).n).toBe(1);
  c.store.failNextCommit('STORE_FULL');
  await expect(c.book.countersign(half, expected(p.identity.peer, 'r1'))).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(c.ledger.size).toBe(0n);
  const full = await c.book.countersign(half, expected(p.identity.peer, 'r1'));
  p.store.failNextCommit('STORE_FULL');
  await expect(p.book.complete(full)).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(await p.book.owes(c.identity.peer, lease)).toBe(true);
  await p.book.complete(full);
  expect(await bodies(p)).toEqual([full]);
});

test('random histories conserve: totals are the sums, both logs agree, both verify', async () => {
  const step = fc.record({
    consumer: fc.nat(1),
    tokens: fc.integer({ min: 0, max: 500 }),
    isSigned: fc.boolean(),
    isRestart: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let p = await ledgerWorld(1);
      const consumers = await Promise.all([ledgerWorld(2), ledgerWorld(3)]);
      const sums = [0, 0];
      for (const [number, { consumer, tokens, isSigned, isRestart }] of steps.entries()) {
        if (isRestart) p = await ledgerWorld(1, { store: p.store.reopen() });
        const c = consumers[consumer] ?? p;
        await p.book.issue(facts(c.identity.peer, `r${number}`, tokens));
        if (!isSigned) continue;
        for (const half of await p.book.unsigned(c.identity.peer, lease)) {
          const { requestId, promptTokens } = readReceipt(half);
          sums[consumer] = (sums[consumer] ?? 0) + promptTokens;
          await p.book.complete(await c.book.countersign(half, expected(p.identity.peer, requestId)));
        }
      }
      for (const [place, c] of consumers.entries()) {
        const taken = await bodies(c);
        const given = (await bodies(p)).filter((body) => readReceipt(body).consumer === c.identity.peer);
        expect(given).toEqual(taken);
        const total = taken.reduce((sum, body) => sum + openReceipt(crypto, body).receipt.promptTokens, 0);
        expect(total).toBe(sums[place]);
        const mine = (await c.book.summary())[0];
        const theirs = (await p.book.summary()).find(({ peer }) => peer === c.identity.peer);
        expect(mine?.promptTokens ?? 0).toBe(total);
        expect(theirs?.promptTokens ?? 0).toBe(total);
        expect(theirs?.receipts ?? 0).toBe(taken.length);
      }
      expect((await p.ledger.verify()).ok).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test('a log that holds a receipt between two others is not in order', async () => {
  const [p, c] = await pair(14);
  const other = await ledgerWorld(15);
  const half = await p.book.issue(facts(c.identity.peer, 'r1'));
  const full = await c.book.countersign(half, expected(p.identity.peer, 'r1'));
  await other.ledger.append([receiptEntry(full)]);
  expect(await other.ledger.verify()).toMatchObject({ ok: false, firstBad: { index: 0n } });
});

test('receipts are listed newest first, by page and by peer', async () => {
  const [p, c] = await pair(11);
  const other = await ledgerWorld(12);
  await p.ledger.append([{ kind: 'note', body: utf8('between') }]);
  for (const world of [c, other, c, c]) {
    const half = await p.book.issue(facts(world.identity.peer, `r${p.ledger.size}`));
    const { requestId } = readReceipt(half);
    await p.book.complete(await world.book.countersign(half, expected(p.identity.peer, requestId)));
  }
  const first = await p.book.list({ limit: 3 });
  expect(first.receipts.map(({ index }) => index)).toEqual([4n, 3n, 2n]);
  const second = await p.book.list({ limit: 3, before: first.next ?? 0n });
  expect(second.receipts.map(({ index }) => index)).toEqual([1n]);
  expect(second.next).toBeUndefined();
  const some = await p.book.list({ peer: other.identity.peer });
  expect(some.receipts.map(({ receipt }) => receipt.requestId)).toEqual(['r2']);
});

test('a consumer answers a repeated half from what it keeps, and refuses one long past', async () => {
  const [p, c] = await pair(13);
  const halves: Uint8Array[] = [];
  for (let n = 1; n <= limits.keptReceiptsMax + 1; n += 1) {
    const half = await p.book.issue(facts(c.identity.peer, `r${n}`));
    halves.push(half);
    await p.book.complete(await c.book.countersign(half, expected(p.identity.peer, `r${n}`)));
  }
  const again = (n: number) => c.book.countersign(halves[n - 1] ?? workHash, expected(p.identity.peer, `r${n}`));
  expect(readReceipt(await again(2)).n).toBe(2);
  await expect(again(1)).rejects.toMatchObject({ code: 'RECEIPT_WRONG', details: { field: 'n' } });
});
