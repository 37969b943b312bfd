import { toHex, utf8 } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { crypto, ledgerWorld, notes, rowsOf } from '../../test/world.ts';

/** What these appends left in the store before varints, hashes and decoding were made faster: hashes of the rows that were written then. */
const written = {
  ledger: '695e3e0a12f92590eba88d65473b48e31386637011365a884d2fbfca00b40cbc',
  receipts: 'f1d1edd6deea66fc91ca89b350bc6b8c08dd6660f2adb6831369a6baa3888f84',
};

test('the same statements and receipts are kept in the same bytes as ever, so a log written before is read', async () => {
  const clock = new ManualClock(1_790_000_000_000);
  const [provider, consumer] = [await ledgerWorld(71, { clock }), await ledgerWorld(72, { clock })];
  for (let n = 0; n < 5; n += 1) {
    // Times and counts on both sides of what four bytes of a varint hold.
    const usage = { promptTokens: 10 ** n, answerTokens: n === 4 ? 99_999_999 : n, estimated: n % 2 === 0 };
    const facts = { lease: utf8('lease'), requestId: `request ${n} é`, model: 'nano', workHash: new Uint8Array(32) };
    const half = await provider.book.issue({ ...facts, consumer: consumer.identity.peer, usage });
    const full = await consumer.book.countersign(half, {
      ...facts,
      provider: provider.identity.peer,
      promptTokensMax: 100_000_000,
      answerTokensMax: 100_000_000,
    });
    await provider.book.complete(full);
  }
  await provider.ledger.append(notes(300));
  await provider.ledger.append([{ kind: 'großes', body: new Uint8Array(5_000).fill(7) }]);
  const digest = async (room: typeof provider.room): Promise<string> =>
    toHex(crypto.sha256(...(await rowsOf(room)).flatMap(({ key, value }) => [utf8(`${key}\n`), value])));
  expect({
    ledger: await digest(provider.room),
    receipts: await digest(provider.store.room('receipts')),
  }).toEqual(written);
  expect(await provider.ledger.verify()).toMatchObject({ ok: true, checked: 306n, receipts: 5 });
});
