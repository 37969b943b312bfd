import { memoryWorld, settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { type Courier, createCourier } from './courier.ts';
import { createOutbox } from './outbox.ts';

test('a letter that is written while the courier finds nothing is not left behind', async () => {
  const world = memoryWorld({ seed: 1 });
  const to = memoryWorld({ seed: 2, clock: world.clock, networks: world.networks }).identity.peer;
  const outbox = createOutbox(world);
  let looks = 0;
  let courier: Courier | undefined;
  const next: typeof outbox.next = async (peer) => {
    looks += 1;
    const found = await outbox.next(peer);
    if (looks === 1) courier?.wake(peer);
    return found;
  };
  const stop = new AbortController();
  courier = createCourier({ ...world, outbox: { ...outbox, next }, onOutcome: () => undefined }, stop.signal);
  courier.wake(to);
  await settle();
  expect(looks).toBe(2);
  stop.abort();
  await courier.stopped();
});

test.each(Array.from({ length: 12 }, (_, turns) => turns))(
  'nor one that is written %i turns after the last look',
  async (turns) => {
    const world = memoryWorld({ seed: 1 });
    const to = memoryWorld({ seed: 2, clock: world.clock, networks: world.networks }).identity.peer;
    let looks = 0;
    const next = async (): Promise<undefined> => void (looks += 1);
    const stop = new AbortController();
    const outbox = { ...createOutbox(world), next };
    const courier = createCourier({ ...world, outbox, onOutcome: () => undefined }, stop.signal);
    courier.wake(to);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const before = looks;
    courier.wake(to);
    await settle();
    expect(looks).toBeGreaterThan(before);
    stop.abort();
    await courier.stopped();
  },
);
