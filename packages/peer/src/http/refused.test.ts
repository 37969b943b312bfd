import { fromUtf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { forkOf } from '../testing/fork.ts';
import { testWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';

test('who was proven to have two histories is refused by HTTP too, where no link is up, until its owner is pardoned', async () => {
  const world = testWorld();
  const { clock } = world;
  const ben = await world.peer('ben', {
    seed: 2,
    settings: { http: { url: () => 'http://ben.example', showsPeers: true } },
  });
  const anna = await world.peer('anna', {
    seed: 1,
    post: ({ url, body, signal }) =>
      ben.peer.http.answer({ method: 'POST', path: new URL(url).pathname, host: 'ben.example', body }, 8016, signal),
  });
  await pair(world, ben, anna);
  await until(clock, () => anna.peer.peers.list()[0]?.state === 'online');
  world.networks.cut(anna.identity.peer, ben.identity.peer);
  const say = (text: string) => clock.until(anna.peer.messages.deliver('ben', 'text', text));
  const heard = async () => (await ben.peer.messages.list()).map(({ payload }) => payload);
  const shown = async () => {
    const request = { method: 'GET', path: '/peers', host: 'ben.example', body: new Uint8Array() };
    return fromUtf8((await ben.peer.http.answer(request, 8016, live())).body);
  };
  expect(await shown()).toContain('anna');
  expect(await say('one')).toMatchObject({ state: 'delivered', path: 'http' });

  await ben.peer.logs.accuse(await forkOf(anna.identity));
  expect(ben.peer.isBlocked(anna.identity.peer)).toBe(true);
  expect(await say('two')).not.toMatchObject({ state: 'delivered' });
  expect(await heard()).toEqual(['one']);
  expect(await shown()).not.toContain('anna');

  await ben.peer.logs.pardon('anna', true);
  expect(await say('three')).toMatchObject({ state: 'delivered', path: 'http' });
  expect(await heard()).toContain('three');
  for (const { peer } of [anna, ben]) await peer.stop();
});
