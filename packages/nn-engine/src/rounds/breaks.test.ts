import { describe, expect, it } from 'vitest';

import { smallRun as spec } from './testing/spec.ts';
import { closedAt, led, type Player, players, town } from './testing/town.ts';

describe('a run whose network breaks', () => {
  it.each([
    { when: 'while the others still learn', rounds: 60 },
    { when: 'when the others are done', rounds: 30 },
  ])('after a cut that heals $when, the part that was too small takes over what they learned', async ({ rounds }) => {
    const here = town();
    const five = players(here, 5);
    const [a, b, c, d, host] = five as [Player, Player, Player, Player, Player];
    const wanted = { spec: { ...spec, rounds, membersMin: 3 } };
    const parts = [host.take([], wanted), ...[a, b, c, d].map((one) => one.take([host], wanted))];
    await here.clock.advance(2_500);
    const together = closedAt(host).length;
    for (const near of [host, d]) for (const far of [a, b, c]) here.networks.cut(near.peer, far.peer);
    await here.clock.advance(38_000);
    expect(closedAt(host)).toHaveLength(together);
    expect(closedAt(a).length).toBeGreaterThan(together + 20);
    for (const near of [host, d]) for (const far of [a, b, c]) here.networks.heal(near.peer, far.peer);
    const weights = await here.clock.until(Promise.all(parts));
    for (const own of weights) expect(own).toEqual(weights[0]);
    if (rounds === 60) expect(closedAt(host).at(-1)).toBe(closedAt(a).at(-1));
  });

  it.each([
    { ms: 200, leadsOn: false },
    { ms: 3_000, leadsOn: true },
    { ms: 40_000, leadsOn: true },
  ])('one whose link breaks for $ms ms comes back to those who went on', async ({ ms, leadsOn }) => {
    const here = town();
    const [one, host, visitor] = players(here, 3) as [Player, Player, Player];
    const long = { spec: { ...spec, rounds: 60 } };
    const parts = [host.take([], long), one.take([host], long), visitor.take([host], { ...long, leads: false })];
    await here.clock.advance(4_500);
    here.networks.cut(one.peer, host.peer);
    await here.clock.advance(ms);
    here.networks.heal(one.peer, host.peer);
    const weights = await here.clock.until(Promise.all(parts));
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect([led(one), led(visitor)]).toEqual([leadsOn, false]);
    expect(host.events.filter(({ type }) => type === 'coordinator')).toHaveLength(1);
    const together = one.events.filter((event) => event.type === 'closed' && event.peers.length === 3);
    expect(together.length).toBeGreaterThan(5);
  });

  it('two that were cut off and chose a coordinator of their own come back together', async () => {
    const here = town();
    const five = players(here, 5);
    const [one, two, three, four, host] = five as [Player, Player, Player, Player, Player];
    const wanted = { spec: { ...spec, rounds: 90, membersMin: 3 } };
    const parts = [host.take([], wanted), ...[one, two, three, four].map((each) => each.take([host], wanted))];
    await here.clock.advance(2_500);
    for (const near of [one, two]) for (const far of [three, four, host]) here.networks.cut(near.peer, far.peer);
    await here.clock.advance(25_000);
    expect([led(one), led(two)]).toEqual([true, false]);
    for (const near of [one, two]) for (const far of [three, four, host]) here.networks.heal(near.peer, far.peer);
    const weights = await here.clock.until(Promise.all(parts));
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(host.events.filter(({ type }) => type === 'coordinator')).toHaveLength(1);
    const last = two.events.filter((event) => event.type === 'closed').at(-1);
    expect(last?.peers).toHaveLength(5);
  });
});
