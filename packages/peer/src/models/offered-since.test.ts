import { expect, test } from 'vitest';
import { testWorld } from '../testing/peers.ts';
import { ask, pair, textOf } from '../testing/steps.ts';

test('a model that a device offers since it was asked for its models is found by its name', async () => {
  const world = testWorld();
  const [desk, laptop] = [await world.peer('desk'), await world.peer('laptop')];
  await desk.peer.models.expose('echo', false);
  await pair(world, desk, laptop);
  const unknown = { type: 'error', code: 'MODEL_UNKNOWN' };
  expect((await ask(world, laptop, 'echo@desk', 'hello')).at(-1)).toMatchObject(unknown);
  await desk.peer.models.expose('echo', true);
  expect(textOf(await ask(world, laptop, 'echo@desk', 'hello'))).toBe('echo: hello');
});
