import { createIdentity, nobleCrypto } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { collect, expiryKey, markKey, takenMark, under } from '../rows.ts';
import { createMarks } from './marks.ts';

const sender = createIdentity(nobleCrypto, seededRandom(1).bytes(32)).peer;

/** So many letters were handled that expired `agoMs` ago. */
async function handled(count: number, agoMs: number) {
  const [clock, store] = [new ManualClock(), new MemoryStore()];
  const expiresMs = clock.nowMs() - agoMs;
  const ids = Array.from({ length: count }, (_, at) => `${at}`);
  await store.commit(
    ids.flatMap((id) => [
      store.put(markKey(sender, id), takenMark),
      store.put(expiryKey(expiresMs, sender, id), takenMark),
    ]),
  );
  const marks = createMarks({ store, clock });
  const left = async () => (await collect(store.range(...under(`in/${sender}`)))).length;
  return { clock, marks, left };
}

test('one sweep forgets `sweepMarksMax` letters, and the next comes `sweepMsMin` later', async () => {
  const { clock, marks, left } = await handled(limits.sweepMarksMax + 1, 2 * limits.sweepMarginMs);
  await marks.makeRoom(sender);
  expect(await left()).toBe(1);
  await clock.advance(limits.sweepMsMin - 1);
  await marks.makeRoom(sender);
  expect(await left()).toBe(1);
  await clock.advance(1);
  await marks.makeRoom(sender);
  expect(await left()).toBe(0);
});

test('a letter is remembered for `sweepMarginMs` past its end', async () => {
  for (const [agoMs, count] of [
    [limits.sweepMarginMs, 1],
    [limits.sweepMarginMs + 1, 0],
  ] as const) {
    const { marks, left } = await handled(1, agoMs);
    await marks.makeRoom(sender);
    expect(await left()).toBe(count);
  }
});
