import { afterEach, expect, test } from 'vitest';
import { live, until } from '../testing/steps.ts';
import { propose, show, type Village, village, voteAll } from '../testing/village.ts';

let made: Village | undefined;
afterEach(async () => {
  await made?.stop();
  made = undefined;
});
test('a group issues its points by a decision, members give and reward with them, and every member has the same books', async () => {
  made = await village(2);
  const { world, at } = made;
  const [anna, ben] = [at(0), at(1)];
  const give = (by: typeof anna, peer: string, amountMicro: string) =>
    world.clock.until(by.peer.governance.transfer('village', { peer, amountMicro, reason: 'thanks' }, live()));
  await expect(give(anna, 'p1', '1')).rejects.toMatchObject({
    code: 'VOTE_REFUSED',
    message: 'the group does not take this: its author has fewer points than that',
    details: { why: 'NO_POINTS' },
  });
  const id = await propose(world, anna, {
    action: { type: 'points', peer: 'self', amountMicro: '5000000', reason: 'a start' },
  });
  await voteAll(world, [anna, ben], id);
  await until(world.clock, async () => (await show(ben)).pointsIssuedMicro === '5000000');
  expect(await give(anna, 'p1', '2000000')).toMatchObject({ to: { name: 'p1' }, amountMicro: '2000000' });
  await expect(give(anna, 'p1', '3000001')).rejects.toMatchObject({ details: { why: 'NO_POINTS' } });
  const wish = { reason: 'capsule', peer: 'p1', subject: '0a'.repeat(32), quality: 0.8, novelty: 0.5 } as const;
  const reward = () => world.clock.until(anna.peer.governance.reward('village', wish, live()));
  expect(await reward()).toMatchObject({ amountMicro: '400000' });
  await expect(reward()).rejects.toMatchObject({ details: { why: 'REWARDED' } });
  await until(world.clock, async () => (await show(ben)).digest === (await show(anna)).digest);
  const amounts = (await show(ben)).points.map(({ amountMicro }) => amountMicro).toSorted();
  expect(amounts).toEqual(['2400000', '2600000']);
  expect(await ben.peer.governance.verify('village')).toMatchObject({ ok: true, matches: true });
  expect((await show(ben)).decisions[0]?.action).toMatchObject({ type: 'points', peerName: 'p0' });
  const refused = (await ben.peer.governance.log('village')).lines.filter((line) => line.refused !== null);
  expect(refused.map(({ refused: why, why: text }) => [why, text])).toContainEqual([
    'REWARDED',
    'this was paid for before',
  ]);
  const said = (await ben.peer.governance.log('village')).lines.map(({ what, detail }) => `${what} ${detail ?? ''}`);
  expect(said).toEqual(expect.arrayContaining(['transfer p1', 'reward capsule p1']));
});
