import { type Network, PeerAiError, streamMethod, toHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { type ManualClock, MemoryStore } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { openPrivacyBudget } from '../../privacy/index.ts';
import { seededUnit } from '../../train/random.ts';
import type { Learner } from '../index.ts';
import { watchMethod } from '../messages.ts';
import { checkRun } from '../run-spec.ts';
import { sumMethod } from './messages.ts';
import { closedAt, type Member, village } from '../testing/private-run.ts';
import { accuracy, type Example, examplesOf, gradientOf, lossOf, means, weightCount } from '../testing/softmax.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const closedOf = ({ events }: Member) => events.flatMap((event) => (event.type === 'closed' ? [event] : []));

/** Each pulls every weight halfway to its own number, in a second; what all want is the mean. */
const pulling = (goal: number, clock: ManualClock): Learner => ({
  async learn(weights, { signal }) {
    await clock.sleep(1_000, signal);
    const loss = weights.reduce((sum, value) => sum + (goal - value) ** 2, 0) / weights.length;
    return { weights: weights.map((value) => value + (goal - value) / 2), loss };
  },
});

/** Gradient steps on a member's own examples. */
const softmaxLearner = (examples: readonly Example[], clock: ManualClock): Learner => ({
  async learn(weights, { localSteps, signal }) {
    await clock.sleep(1_000, signal);
    const own = weights.slice();
    for (let step = 0; step < localSteps; step += 1) {
      const gradient = gradientOf(own, examples);
      for (const [index, slope] of gradient.entries()) own[index] = (own[index] ?? 0) - slope;
    }
    return { weights: own, loss: lossOf(weights, examples) };
  },
});

const small = (count = 4, rounds = 4) => village(count, { size: 8, rounds }, pulling);

describe('a private run', () => {
  it('of four trains a classifier while one drops out on the way: the loss falls and all hold the same weights', async () => {
    const random = seededUnit(4);
    const centres = means(random);
    const data = Array.from({ length: 4 }, () => examplesOf(centres, 60, random));
    const test = examplesOf(centres, 400, random);
    const { members, clock } = village(4, { size: weightCount, rounds: 8 }, (place, time) =>
      softmaxLearner(data[place] ?? [], time),
    );
    const [host, one, two, leaver] = members as [Member, Member, Member, Member];
    const gone = leaver.take([host.peer]);
    gone.catch(() => undefined);
    const staying = Promise.all([host.take([]), one.take([host.peer]), two.take([host.peer])]);
    await clock.advance(3_500);
    leaver.stop.abort();
    const weights = await clock.until(staying);
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(accuracy(weights[0] ?? new Float32Array(), test)).toBeGreaterThan(0.9);
    const rounds = closedOf(host);
    expect(rounds.map(({ peers }) => peers.length)).toEqual([4, 4, 4, 3, 3, 3, 3, 3].slice(0, rounds.length));
    expect(rounds).toHaveLength(8);
    expect(rounds.at(-1)?.loss).toBeLessThan((rounds[0]?.loss ?? 0) / 4);
    for (const member of [one, two]) expect(closedAt(member)).toEqual(closedAt(host));
    expect(closedAt(leaver)).toEqual(closedAt(host).slice(0, closedAt(leaver).length));
    expect(closedAt(leaver).length).toBeGreaterThan(1);
  });

  it('says the mean of the losses and tells nobody’s own', async () => {
    const { members, clock } = small(4, 1);
    const [host, ...others] = members as [Member, ...Member[]];
    await clock.until(Promise.all([host.take([]), ...others.map((member) => member.take([host.peer]))]));
    // Goals 0, 1, 2, 3 from weights of 0: squares 0, 1, 4, 9.
    for (const member of members) expect(closedOf(member)[0]?.loss).toBeCloseTo(3.5, 4);
  });

  it('has each member keep that its update was unmasked, and go no second time from a state of before its program ended', async () => {
    const [{ members, clock }, noted] = [small(3, 3), [] as string[]];
    const [host, one, two] = members as [Member, Member, Member];
    const note = async (base: string): Promise<void> => void noted.push(base);
    const taken = [host.take([]), one.take([host.peer], { unmasked: { known: [], note } }), two.take([host.peer])];
    await clock.until(Promise.all(taken));
    expect(noted).toEqual(closedOf(one).map(({ base }) => toHex(base)));
    const again = small(3, 3);
    const [first, back, last] = again.members as [Member, Member, Member];
    const others = [first, last];
    for (const member of others) member.take(member === first ? [] : [first.peer]).catch(() => undefined);
    const known = { known: noted.slice(0, 1), note };
    const refused = again.clock.until(back.take([first.peer], { unmasked: known }));
    await expect(refused).rejects.toEqual(code('TOO_FEW_UPDATES'));
    expect(others.flatMap(closedOf)).toEqual([]);
    for (const member of others) member.stop.abort();
  });

  it('lets no share out before it is kept that the update was unmasked', async () => {
    const { members, clock } = small(3, 1);
    const [host, one, two] = members as [Member, Member, Member];
    const note = () => Promise.reject(new PeerAiError('STORE_FULL', 'no room'));
    for (const taken of [host.take([]), two.take([host.peer])]) taken.catch(() => undefined);
    const failed = clock.until(one.take([host.peer], { unmasked: { known: [], note } }));
    await expect(failed).rejects.toEqual(code('STORE_FULL'));
    await clock.advance(5_000);
    expect(closedOf(host)).toEqual([]);
    for (const member of [host, two]) member.stop.abort();
  });

  it('is for those invited, from the first question on', async () => {
    const { members, clock, spec, networks } = small(5);
    const [host, one, two, three, stranger] = members as [Member, Member, Member, Member, Member];
    const invited = [host, one, two, three].map(({ peer }) => peer);
    const fewer = { ...spec, membersMin: 3, private: { members: invited, elementMax: 8 } };
    await expect(stranger.take([host.peer], { spec: fewer })).rejects.toThrow(code('REFUSED'));
    const first = host.take([], { spec: fewer });
    const network = networks.join(stranger.peer);
    const watching = streamMethod(
      { network, clock },
      host.peer,
      watchMethod,
      { run: checkRun(crypto, fewer).hash, term: 0 },
      { signal: new AbortController().signal },
    );
    await expect(clock.until(watching.next())).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining('not invited') as string,
    });
    const others = [one, two, three].map((member) => member.take([host.peer], { spec: fewer }));
    const weights = await clock.until(Promise.all([first, ...others]));
    for (const own of weights) expect(own).toEqual(weights[0]);
  });

  it('goes on under another coordinator when its own is gone between two rounds', async () => {
    const { members, clock, networks } = small(5, 6);
    const [a, b, c, d, host] = members as [Member, Member, Member, Member, Member];
    host.take([]).catch(() => undefined);
    const parts = [a, b, c, d].map((member) => member.take([host.peer]));
    const all = Promise.all(parts);
    await until(clock, () => closedAt(a).length === 2 && closedAt(d).length === 2);
    await clock.advance(200);
    networks.kill(host.peer);
    host.stop.abort();
    const weights = await clock.until(all);
    for (const own of weights) expect(own).toEqual(weights[0]);
    expect(closedAt(b)).toHaveLength(6);
    expect(closedAt(d)).toEqual(closedAt(b));
  });

  it.each([
    [limits.sumTriesMax - 1, undefined],
    [limits.sumTriesMax, 'TOO_FEW_UPDATES'],
  ])('whose sum of the first round breaks %d times ends with %s', async (times, ends) => {
    const { members, clock } = small(4, 2);
    const [host, one, ...cut] = members as [Member, Member, ...Member[]];
    // Two are cut off in the second step of each of so many tries: fewer than three are left.
    const through = (network: Network): Network => {
      let calls = 0;
      let broken = 0;
      return {
        ...bound(network),
        open(peer, protocol, options) {
          if (protocol.id !== sumMethod.protocol.id) return network.open(peer, protocol, options);
          calls += 1;
          if (calls % 2 === 1 || broken >= times) return network.open(peer, protocol, options);
          broken += 1;
          return Promise.reject(new PeerAiError('PEER_UNREACHABLE', 'the line is cut'));
        },
      };
    };
    const parts = [one.take([host.peer]), ...cut.map((member) => member.take([host.peer], { through }))];
    for (const part of parts) part.catch(() => undefined);
    const led = clock.until(host.take([]));
    if (ends === undefined) {
      expect(await led).toEqual((await clock.until(Promise.all(parts)))[0]);
      expect(closedAt(host)).toHaveLength(2);
    } else await expect(led).rejects.toThrow(code(ends));
    for (const member of members) member.stop.abort();
  });

  it('without enough members waits, and closes nothing', async () => {
    const { members, clock } = small(4);
    const [host, one] = members as [Member, Member];
    for (const part of [host.take([]), one.take([host.peer])]) part.catch(() => undefined);
    await clock.advance(120_000);
    expect(closedAt(host)).toEqual([]);
    const received = host.events.filter(({ type }) => type === 'received');
    expect(received.at(-1)).toMatchObject({ received: 2, needed: 3 });
    for (const member of [host, one]) member.stop.abort();
  });
});

describe('noise on a member’s own updates', () => {
  it('ends that member’s part with PRIVACY_SPENT when its budget is spent; the others go on', async () => {
    const { members, clock } = small(4, 6);
    const [host, one, two, careful] = members as [Member, Member, Member, Member];
    const store = new MemoryStore();
    const budget = openPrivacyBudget(store, 'letters', { epsilonMax: 4, delta: 1e-5 });
    const privacy = { clip: 1, noise: 2, budget };
    const spent = careful.take([host.peer], { privacy });
    spent.catch(() => undefined);
    const weights = await clock.until(Promise.all([host.take([]), one.take([host.peer]), two.take([host.peer])]));
    await expect(spent).rejects.toThrow(code('PRIVACY_SPENT'));
    const { steps, epsilon } = await budget.state();
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThan(6);
    expect(epsilon).toBeLessThanOrEqual(4);
    expect(closedOf(host).filter(({ peers }) => peers.includes(careful.peer))).toHaveLength(steps);
    expect(weights[1]).toEqual(weights[0]);
    expect(closedAt(host)).toHaveLength(6);
  });

  it('is on the update before it is masked, and its loss is not told', async () => {
    const { members, clock } = small(3, 1);
    const [host, ...others] = members as [Member, ...Member[]];
    const budget = openPrivacyBudget(new MemoryStore(), 'letters', { epsilonMax: 100, delta: 1e-5 });
    const privacy = { clip: 0.5, noise: 1, budget };
    const parts = others.map((member) => member.take([host.peer], { privacy }));
    const [weights] = await clock.until(Promise.all([host.take([], { privacy }), ...parts]));
    // Without noise the mean of 0, 1, 2 halved is 0.5 in each; clipped and noisy it is not even nearly the same everywhere.
    expect(new Set(weights?.map((value) => Math.round(value * 1_000))).size).toBeGreaterThan(4);
    expect(closedOf(host)[0]?.loss).toBeNaN();
    expect(await budget.state()).toMatchObject({ steps: 3 });
  });
});

/** A network's methods, to put others in their place. */
const bound = (network: Network): Network => ({
  self: network.self,
  addresses: () => network.addresses(),
  open: (...asked) => network.open(...asked),
  answer: (...asked) => network.answer(...asked),
  links: (signal) => network.links(signal),
  disconnect: (peer) => network.disconnect(peer),
});

async function until(clock: ManualClock, isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !isTrue(); tries += 1) await clock.advance(10);
  expect(isTrue()).toBe(true);
}
