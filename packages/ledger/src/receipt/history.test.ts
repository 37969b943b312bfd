import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { ledgerWorld } from '../../test/world.ts';
import { limits } from '../limits.ts';
import type { OwnLedger } from '../log/open.ts';
import { listReceipts } from './history.ts';
import { receiptEntry } from './receipt.ts';

/** A log of so many entries, the oldest of them receipts; how many were looked at is counted. */
async function log(receipts: number, others: number) {
  const [{ book }, { identity }] = [await ledgerWorld(1), await ledgerWorld(2)];
  const half = await book.issue({
    consumer: identity.peer,
    lease: utf8('ticket-1'),
    requestId: 'r1',
    model: 'nano',
    usage: { promptTokens: 1, answerTokens: 1 },
    workHash: new Uint8Array(32),
  });
  const looked = { count: 0 };
  const ledger = {
    size: BigInt(receipts + others),
    async *entries(from: bigint, to: bigint) {
      for (let index = to - 1n; index >= from; index -= 1n) {
        looked.count += 1;
        const payload = index < receipts ? receiptEntry(half) : { kind: 'note', body: utf8('x') };
        yield { index, entry: payload };
      }
    },
  } as unknown as OwnLedger;
  return { ledger, looked };
}

test('a page has as many receipts as the limit, whatever was asked for', async () => {
  const { ledger } = await log(limits.listReceiptsMax + 1, 0);
  for (const [limit, length, next] of [
    [limits.listReceiptsMax, limits.listReceiptsMax, 1n],
    [limits.listReceiptsMax + 1, limits.listReceiptsMax, 1n],
    [undefined, 100, BigInt(limits.listReceiptsMax + 1 - 100)],
  ] as const) {
    const page = await listReceipts(ledger, limit === undefined ? {} : { limit });
    expect([page.receipts.length, page.next]).toEqual([length, next]);
  }
});

test('one page looks at as many entries as the limit, and the next goes on there', async () => {
  for (const others of [limits.listScanEntriesMax - 1, limits.listScanEntriesMax]) {
    const { ledger, looked } = await log(1, others);
    const { receipts, next } = await listReceipts(ledger);
    const isFound = others < limits.listScanEntriesMax;
    expect([looked.count, receipts.length, next]).toEqual([
      limits.listScanEntriesMax,
      isFound ? 1 : 0,
      isFound ? undefined : 1n,
    ]);
    if (next !== undefined) expect((await listReceipts(ledger, { before: next })).receipts).toHaveLength(1);
  }
});
