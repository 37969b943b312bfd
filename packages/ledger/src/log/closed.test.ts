import { PeerAiError } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { all, flipped, type LedgerWorld, ledgerWorld, note, notes } from '../../test/world.ts';
import { openLedger } from './open.ts';
import { entryKey } from './rows.ts';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;
const again = (world: LedgerWorld) => openLedger({ ...world, store: world.room }, { evenDamaged: true });

test('a log that is held refuses every append, those that wait already too, and reads on; let go, it goes on where it was', async () => {
  const { ledger } = await ledgerWorld(70);
  await ledger.append(notes(3));
  const waiting = ledger.append([note('waits')]);
  ledger.hold(new PeerAiError('LIMIT_REACHED', 'not now'));
  await expect(waiting).rejects.toThrow(code('LIMIT_REACHED'));
  await expect(ledger.append([note('later')])).rejects.toThrow(code('LIMIT_REACHED'));
  expect(ledger.refusal).toMatchObject({ code: 'LIMIT_REACHED' });
  expect(await all(ledger.read(0n, 9n))).toHaveLength(3);
  ledger.hold(undefined);
  expect(await ledger.append([note('now')])).toBe(3n);
});

test('an append waits for every pause, however that ends, and is refused by what was found meanwhile', async () => {
  const { ledger } = await ledgerWorld(71);
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ledger.pause(first.promise);
  let place: bigint | undefined;
  const appended = ledger.append([note('waits')]).then((at) => (place = at));
  ledger.pause(second.promise);
  second.reject(new Error('nobody answered'));
  await new Promise(setImmediate);
  expect(place).toBeUndefined();
  first.resolve();
  expect(await appended).toBe(0n);
  const third = Promise.withResolvers<void>();
  ledger.pause(third.promise);
  const refused = ledger.append([note('never')]);
  ledger.hold(new PeerAiError('LIMIT_REACHED', 'not now'));
  third.resolve();
  await expect(refused).rejects.toThrow(code('LIMIT_REACHED'));
});

test('a damaged log is opened closed: every use says where it is damaged, until it was put right', async () => {
  const world = await ledgerWorld(72);
  await world.ledger.append(notes(5));
  const whole = (await world.room.get(entryKey(4n))) ?? new Uint8Array();
  await world.room.commit([world.room.put(entryKey(4n), flipped(whole, 50))]);
  await expect(openLedger({ ...world, store: world.room })).rejects.toThrow(code('LEDGER_DAMAGED'));
  const ledger = await again(world);
  const damage = { code: 'LEDGER_DAMAGED', details: expect.objectContaining({ index: 4n }) as object };
  expect(ledger.size).toBe(0n);
  expect(ledger.refusal).toMatchObject(damage);
  await expect(ledger.append([note('more')])).rejects.toMatchObject(damage);
  await expect(ledger.checkpoint()).rejects.toMatchObject(damage);
  await expect(ledger.prove(0n)).rejects.toMatchObject(damage);
  await expect(ledger.proveConsistency(1n, 2n)).rejects.toMatchObject(damage);
  expect(() => ledger.read(0n, 1n)).toThrow(expect.objectContaining(damage) as Error);
  expect(() => ledger.entries(0n, 1n)).toThrow(expect.objectContaining(damage) as Error);
  expect(await ledger.verify()).toMatchObject({ ok: false, firstBad: { index: 4n } });
  // Letting go of what was held does not open it.
  ledger.hold(undefined);
  await expect(ledger.append([note('more')])).rejects.toMatchObject(damage);
  await expect(ledger.exclusive(async () => undefined)).rejects.toMatchObject(damage);
  await ledger.exclusive(() => world.room.commit([world.room.put(entryKey(4n), whole)]));
  expect([ledger.size, ledger.refusal]).toEqual([5n, undefined]);
  expect(await ledger.append([note('more')])).toBe(5n);
});
