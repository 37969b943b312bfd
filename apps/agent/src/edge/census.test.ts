import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEdge, type TestEdge } from '../../test/edge.ts';

let world: TestEdge;
beforeAll(async () => {
  world = await testEdge();
});
afterAll(() => world.stop());

test('the census of an agent that knows nobody counts nobody', async () => {
  const answer = await world.control('GET', '/api/v1/discovery/census');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    v: 1,
    devices: 0,
    online: 0,
    regions: [],
    meanReputation: null,
    churn: { came: 0, went: 0, windowMs: 3_600_000 },
  });
});
