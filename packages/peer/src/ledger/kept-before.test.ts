import { nobleCrypto, utf8 } from '@peerai/core-protocol';
import { memoryWorld, silentLogger } from '@peerai/core-protocol/testing';
import { ledgerLimits } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { MessageView } from '../messages/messages.schema.ts';
import { live } from '../testing/steps.ts';
import { checkMessages } from './check-messages.ts';
import { keptBeforeEntry, keptBeforeKind, readKeptBeforeEntry } from './kept-before-statement.ts';
import { messageEntry, messageHash } from './message-statement.ts';
import { openOwnLedger } from './own-ledger.ts';
import { createStatements } from './statements.ts';

const silent = { deliveries: () => ({ [Symbol.dispose]: () => undefined }), status: async () => undefined };
const message = (place: number, kind = 'text'): MessageView => ({
  id: `id-${place}`,
  from: 'anna',
  fromName: 'Anna',
  kind,
  payload: place,
  sentMs: 1_000 + place,
});
const messages = (count: number): MessageView[] => Array.from({ length: count }, (_, place) => message(place));

/** A log, and what a start of its peer writes into it. */
async function book() {
  const world = memoryWorld({ seed: 4, crypto: nobleCrypto });
  const { ledger } = await openOwnLedger(world);
  const parts = { crypto: nobleCrypto, logger: silentLogger, store: world.store, ledger };
  const hashOf = ({ id, from, kind, payload }: MessageView): Uint8Array =>
    messageHash(nobleCrypto, { id, from, to: ledger.origin, kind, payload });
  return {
    ...parts,
    start: (kept: readonly MessageView[]) => createStatements(parts).start(silent, async () => kept),
    states: async (kept: readonly MessageView[]): Promise<void> => {
      for (let at = 0; at < kept.length; at += ledgerLimits.appendEntriesMax)
        await ledger.append(
          kept.slice(at, at + ledgerLimits.appendEntriesMax).map((one) => messageEntry('received', hashOf(one))),
        );
    },
    check: (kept: readonly MessageView[]) => checkMessages(parts, kept, live()),
  };
}

test('a log begins with what is kept already, once, and what is put in later is missing for good', async () => {
  const { start, states, check, ledger } = await book();
  const [first, second, third] = messages(3) as [MessageView, MessageView, MessageView];
  await start([first, second, message(9, 'file')]);
  expect(await check([first, second])).toMatchObject({ ok: true, older: 2 });
  await states([third]);
  const forged = { ...message(7), sentMs: 0 };
  await start([first, second, third, forged]);
  expect(await check([first, second, third, forged])).toMatchObject({ ok: false, older: 2, missing: ['id-7'] });
  expect(await check([{ ...first, payload: 'x' }, second, third])).toMatchObject({ missing: ['id-0'], dropped: [0] });
  expect(ledger.size).toBe(2n);
});

test('a log that began with nothing, or has spoken of messages, takes no such list, also without its mark', async () => {
  for (const spoken of [[], messages(1)]) {
    const { start, states, check, store } = await book();
    await start([]);
    await states(spoken);
    if (spoken.length > 0) {
      const room = store.room('messages-before');
      const marks = await Array.fromAsync(room.range('', '\u{10ffff}'));
      await room.commit(marks.map(({ key }) => room.put(key)));
    }
    const forged = message(5);
    await start([...spoken, forged]);
    expect(await check([...spoken, forged])).toMatchObject({ ok: false, missing: ['id-5'] });
  }
});

test('a list that stands after an entry of a message counts for nothing', async () => {
  const { states, check, ledger } = await book();
  await states(messages(1));
  const forged = message(5);
  const { id, from, kind, payload } = forged;
  await ledger.append([keptBeforeEntry([messageHash(nobleCrypto, { id, from, to: ledger.origin, kind, payload })])]);
  expect(await check([message(0), forged])).toMatchObject({ missing: ['id-5'] });
});

test('what the commit of a message promised counts before it is an entry', async () => {
  const { check, store, ledger, crypto, logger } = await book();
  const [one] = messages(1) as [MessageView];
  const statements = createStatements({ store, ledger, crypto, logger });
  await store.commit(statements.received({ ...one, sender: one.from as typeof ledger.origin }));
  expect(await check([one])).toMatchObject({ ok: true, received: 0, missing: [] });
});

test('an entry without its message is named while there is room, and not once all places are taken', async () => {
  const { states, check } = await book();
  const all = messages(limits.inboxMessagesMax + 1);
  await states(all);
  expect(await check(all.slice(1))).toMatchObject({ ok: true, notKept: 1, dropped: [] });
  expect(await check(all.slice(2))).toMatchObject({ ok: false, notKept: 2, dropped: [0, 1] });
});

test('a list holds as many hashes as messages are kept, of 32 bytes each', () => {
  const hashes = (count: number, bytes = 32): Uint8Array[] =>
    Array.from({ length: count }, () => new Uint8Array(bytes));
  const full = keptBeforeEntry(hashes(limits.inboxMessagesMax));
  expect([full.kind, readKeptBeforeEntry(full.body).length]).toEqual([keptBeforeKind, limits.inboxMessagesMax]);
  const over = keptBeforeEntry(hashes(limits.inboxMessagesMax + 1));
  expect(() => readKeptBeforeEntry(over.body)).toThrow();
  expect(() => readKeptBeforeEntry(keptBeforeEntry(hashes(1, 31)).body)).toThrow('32 bytes');
  expect(() => readKeptBeforeEntry(utf8('x'))).toThrow();
});
