import { fromBase64Url, nobleCrypto } from '@peerai/core-protocol';
import { verifyEquivocation } from '@peerai/ledger/witness';
import { afterEach, describe, expect, test } from 'vitest';
import { type PeerOptions, type TestPeer, testWorld } from '../testing/peers.ts';
import { ask, live, pair, until } from '../testing/steps.ts';
import { booksLimits } from './limits.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});

/**
 * Anna's log as it was after her first answer is put back after ben signed the head of the second one, and her owner goes on from there with two others: what
 * ben signed and what he is shown now are two histories, and neither contradicts what he had fetched.
 */
async function signedAhead(unrepaired: object, settings?: PeerOptions['settings']) {
  const world = testWorld();
  const own = { seed: 1, ...(settings === undefined ? {} : { settings }) };
  const start = async (name: string, options: PeerOptions): Promise<TestPeer> => {
    const one = await world.peer(name, options);
    started.push(one);
    // The part that keeps logs is loaded while no time passes.
    await one.peer.logs.overview();
    return one;
  };
  const [anna, ben, cleo] = [
    await start('anna', own),
    await start('ben', { seed: 2 }),
    await start('cleo', { seed: 3 }),
  ];
  await pair(world, anna, ben);
  await pair(world, ben, cleo);
  await ask(world, ben, 'echo@anna', 'first');
  await world.clock.until(ben.peer.logs.witness(live()));
  const before = await Array.fromAsync(anna.store.room('ledger').range('', '\u{10ffff}'));
  await ask(world, ben, 'echo@anna', 'second');
  const { own: signed } = await world.clock.until(anna.peer.logs.witness(live()));
  expect(signed).toMatchObject({ size: 2, cosignedSize: 2 });

  started.splice(started.indexOf(anna), 1);
  const room = world.kill(anna).room('ledger');
  const now = await Array.fromAsync(room.range('', '\u{10ffff}'));
  await room.commit([...now.map(({ key }) => room.put(key)), ...before.map(({ key, value }) => room.put(key, value))]);
  const again = await start('anna', { ...own, store: world.kill(anna) });
  const { clock } = world;
  await until(clock, () => again.peer.books.refusal() !== undefined);
  const repairing = clock.until(again.peer.logs.repair(live()));
  await expect(repairing).rejects.toMatchObject(unrepaired);
  await again.peer.logs.goOn();
  for (const text of ['another', 'and another']) await ask(world, ben, 'echo@anna', text);
  await clock.advance(booksLimits.exchangeEveryMs + 1);
  return { world, anna: again, ben, cleo };
}
const forkedAt = async ({ peer }: TestPeer) => (await peer.logs.overview()).forked.length === 1;

describe('a log that went another way after its head was signed', { timeout: 30_000 }, () => {
  test('is proven to by its witness, whose copy ended before that place, and is told on', async () => {
    const { world, anna, ben, cleo } = await signedAhead({
      code: 'LEDGER_BEHIND',
      details: { seen: 2, size: 1, hint: expect.stringContaining('No device that is here has') as string },
    });
    expect((await ben.peer.logs.overview()).copies.find(({ name }) => name === 'anna')).toMatchObject({ size: 1 });
    await world.clock.until(ben.peer.logs.witness(live()));
    for (const who of [ben, cleo]) await until(world.clock, () => forkedAt(who));
    const origin = anna.identity.peer;
    expect(ben.peer.isBlocked(origin)).toBe(true);
    const evidence = verifyEquivocation(nobleCrypto, fromBase64Url(await cleo.peer.logs.evidence(origin)));
    expect(evidence).toMatchObject({ origin, kind: 'growth', heads: [{ size: 2n }, {}] });
  });

  test('is proven to without a copy, when it shows its heads alone and asks for the next signature', async () => {
    const { world, anna, ben } = await signedAhead(
      { code: 'NOT_FOUND', message: 'no device that is here has a copy of this log' },
      { ledgerShow: 'heads' },
    );
    expect((await ben.peer.logs.overview()).copies).toEqual([]);
    expect((await ben.peer.logs.overview()).forked).toEqual([]);
    await world.clock.until(anna.peer.logs.witness(live()));
    await until(world.clock, () => forkedAt(ben));
    expect(ben.peer.isBlocked(anna.identity.peer)).toBe(true);
  });
});
