import { nobleCrypto, utf8 } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import { openLedger, openCheckpoint } from '@peerai/ledger';
import { expect, test } from 'vitest';
import { openLogGuard } from './log-guard.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const entries = (count: number) => Array.from({ length: count }, () => ({ kind: 'note', body: utf8('x') }));
async function logOf(seed: number, count: number) {
  const world = memoryWorld({ seed, crypto: nobleCrypto });
  const ledger = await openLedger({ ...world, store: world.store.room('ledger') });
  if (count > 0) await ledger.append(entries(count));
  const guard = await openLogGuard({ ...world, ledger });
  return { ...world, ledger, guard, note: (await ledger.checkpoint()).note };
}

test('a longer head of our own signature alone stops appending, also after a restart; what others claim does not', async () => {
  const own = await logOf(1, 3);
  const [before, same, longer, longest] = [await logOf(1, 2), own, await logOf(1, 5), await logOf(1, 7)];
  const other = await logOf(2, 9);
  const by = other.identity.peer;
  for (const { note } of [before, same, other]) expect(await own.guard.saw(note, by)).toBe(false);
  const forged = longer.note.replace('\n5\n', '\n6\n');
  await expect(own.guard.saw(forged, by)).rejects.toThrow(code('INVALID_SIGNATURE'));
  expect(await own.ledger.append(entries(1))).toBe(3n);

  expect(await own.guard.saw(longer.note, by)).toBe(true);
  expect(await own.guard.saw(longer.note, by)).toBe(false);
  await expect(own.ledger.append(entries(1))).rejects.toMatchObject({
    code: 'LEDGER_BEHIND',
    details: { shownBy: by, seen: 5, size: 4 },
  });
  const ledger = await openLedger({ ...own, store: own.store.room('ledger') });
  const guard = await openLogGuard({ ...own, ledger });
  await expect(ledger.append(entries(1))).rejects.toThrow(code('LEDGER_BEHIND'));
  // Reading goes on.
  expect(openCheckpoint(nobleCrypto, (await ledger.checkpoint()).note).size).toBe(4n);

  await guard.goOn();
  expect(await guard.saw(longer.note, by)).toBe(false);
  expect(await ledger.append(entries(1))).toBe(4n);
  await expect(guard.goOn()).rejects.toThrow(code('NOT_FOUND'));
  // The owner's word was about five entries.
  expect(await guard.saw(longest.note, by)).toBe(true);
  await expect(ledger.append(entries(1))).rejects.toThrow(code('LEDGER_BEHIND'));
});
