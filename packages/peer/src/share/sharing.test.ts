import { limits as coreLimits } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { testWorld } from '../testing/peers.ts';

test.each([
  ['forMs', limits.shareLifeMsMin, limits.shareLifeMsMax],
  ['tokens', 1, limits.shareTokensMax],
  ['guests', 1, coreLimits.ticketGuestsMax],
  ['concurrency', 1, coreLimits.ticketConcurrencyMax],
] as const)('%s of a share reaches from its least to its most, and no further', async (name, min, max) => {
  const { peer } = await testWorld().peer('owner');
  const create = (value: number) => peer.sharing.create({ model: 'echo', [name]: value });
  for (const value of [min, max]) expect((await create(value)).state).toBe('active');
  for (const value of [min - 1, max + 1])
    await expect(create(value)).rejects.toMatchObject({ code: 'SHARE_INVALID', details: { name } });
  await expect(create(min + 0.5)).rejects.toMatchObject({ code: 'SHARE_INVALID' });
});

test('as many shares as the limit says are kept: ended ones make room, active ones never go', async () => {
  const world = testWorld();
  const { peer } = await world.peer('owner');
  const oldest = await peer.sharing.create({ model: 'echo' });
  const short = await peer.sharing.create({ model: 'echo', forMs: limits.shareLifeMsMin });
  for (let count = 2; count < limits.sharesMax; count += 1) await peer.sharing.create({ model: 'echo' });
  await expect(peer.sharing.create({ model: 'echo' })).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  await world.clock.advance(limits.shareLifeMsMin);
  await peer.sharing.create({ model: 'echo' });
  const ids = peer.sharing.list().map(({ id }) => id);
  expect([ids.length, ids.includes(short.id), ids.includes(oldest.id)]).toEqual([limits.sharesMax, false, true]);
});

test('a model that is not there is not shared, nor one of another device', async () => {
  const { peer } = await testWorld().peer('owner');
  await expect(peer.sharing.create({ model: 'nothing' })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  await expect(peer.sharing.stop('0000')).rejects.toMatchObject({ code: 'SHARE_UNKNOWN' });
});

test('a share that the disk refused is not there', async () => {
  const { peer, store } = await testWorld().peer('owner');
  store.failNextCommit('STORE_FULL');
  await expect(peer.sharing.create({ model: 'echo' })).rejects.toMatchObject({ code: 'STORE_FULL' });
  expect(peer.sharing.list()).toEqual([]);
});
