import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { openKeyring } from './keyring.ts';
import { sealedLimits } from './limits.ts';

const { letterKeyChangeMs, letterKeyKeptMs } = sealedLimits;
async function ring() {
  const deps = { store: new MemoryStore(), clock: new ManualClock(), random: seededRandom(3), crypto };
  return { ...deps, keyring: await openKeyring(deps), reopen: () => openKeyring(deps) };
}

test('a key is published for so long, then the next one is made', async () => {
  const { clock, keyring } = await ring();
  const first = await keyring.current();
  clock.jump(letterKeyChangeMs - 1);
  expect(await keyring.current()).toBe(first);
  clock.jump(1);
  expect(await keyring.current()).not.toBe(first);
});

test.each([
  [0, 3],
  [1, 2],
])('a key whose successor is as old as it may be and %i ms more is among %i, on the disk too', async (more, kept) => {
  const { clock, keyring, reopen } = await ring();
  await keyring.current();
  clock.jump(letterKeyChangeMs);
  await keyring.current();
  // Old keys are erased when the next one is made.
  clock.jump(letterKeyKeptMs + more);
  await keyring.current();
  expect(keyring.all()).toHaveLength(kept);
  expect((await reopen()).all()).toHaveLength(kept);
});
