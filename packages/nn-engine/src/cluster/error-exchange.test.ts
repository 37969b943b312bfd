import { createIdentity, type PeerId } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createMemoryNetworks, ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { createCluster } from './cluster.ts';
import { createErrorExchange, errorProtocol } from './error-exchange.ts';
import type { Received } from './error-relay.ts';
import { accuracyOf, toyTasks } from './toy-tasks.ts';
import { classError } from './votes.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

/** Peers with an exchange each, 20 ms from each other. */
function street(count: number) {
  const clock = new ManualClock();
  const random = seededRandom(2);
  const networks = createMemoryNetworks({ clock, random, latencyMs: 20 });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const houses = Array.from({ length: count }, () => {
    const identity = createIdentity(crypto, random.bytes(32));
    const network = networks.join(identity.peer, { isGranted: () => true });
    const heard: Received[] = [];
    const options = { onSignal: (received: Received) => void heard.push(received), signal: stop.signal };
    const exchange = createErrorExchange({ network, crypto, identity, clock }, options);
    return { peer: identity.peer, network, exchange, heard };
  });
  const house = (index: number) => houses[index] ?? expect.fail('so many are not there');
  return { clock, networks, houses, house, stop };
}

describe('Error signals over a network', () => {
  it('reach a peer two links away once, each link weighing by its latency, although everybody knows everybody', async () => {
    const { clock, houses, house, networks } = street(3);
    const [first, second, third] = [house(0), house(1), house(2)];
    for (const { exchange, peer } of houses)
      exchange.setNeighbours(houses.map((other) => other.peer).filter((other) => other !== peer));
    first.exchange.send('main', [0.6, -0.6]);
    await clock.advance(1_000);
    expect(houses.map(({ heard }) => heard.length)).toEqual([0, 1, 1]);
    expect(second.heard[0]).toMatchObject({ cluster: 'main', origin: first.peer, hops: 1 });
    expect(second.heard[0]?.weight).toBeCloseTo(1 / 1.2, 12);
    networks.cut(first.peer, third.peer);
    first.exchange.send('main', [0.6, -0.6]);
    await clock.advance(1_000);
    expect(third.heard[1]).toMatchObject({ origin: first.peer, hops: 2 });
    expect(third.heard[1]?.error[0]).toBeCloseTo(0.6 / 1.2 / 1.2, 12);
    expect(houses.map(({ heard }) => heard.length)).toEqual([0, 2, 2]);
  });

  it('do not come back to who sent them', async () => {
    const { clock, houses, house, stop } = street(3);
    for (const { exchange, peer } of houses)
      exchange.setNeighbours(houses.map((other) => other.peer).filter((other) => other !== peer));
    house(0).exchange.send('main', [0.6, -0.6]);
    await clock.advance(1_000);
    const links = house(0).network.links(stop.signal)[Symbol.asyncIterator]();
    for (const link of [(await links.next()).value, (await links.next()).value] as const) {
      expect(link?.bytesSent).toBeGreaterThan(100);
      expect(link?.bytesReceived).toBe(0);
    }
  });

  it('teach a peer that has no answers of its own', async () => {
    const { clock, house } = street(2);
    const [teacher, pupil] = [house(0), house(1)];
    teacher.exchange.setNeighbours([pupil.peer]);
    const task = toyTasks['same-sign'];
    const [a, b] = [
      createCluster({ nodes: 32, inputs: 2, seed: 1 }),
      createCluster({ nodes: 32, inputs: 2, seed: 51 }),
    ];
    const untaught = accuracyOf(b, task, { seed: 9 });
    const random = seededUnit(101);
    for (let turn = 0; turn < 300; turn += 1) {
      const { input, label } = task(random);
      const error = classError(a.present(input), label);
      a.learn(error);
      b.present(input);
      teacher.exchange.send('main', error);
      await clock.advance(50);
      for (const received of pupil.heard.splice(0)) b.learn(received.error);
    }
    expect(accuracyOf(b, task, { seed: 9 })).toBeGreaterThan(untaught + 0.2);
  });

  it('do not wait for who is away, and go on when it is back', async () => {
    const { clock, house, networks } = street(2);
    const [first, second] = [house(0), house(1)];
    first.exchange.setNeighbours([second.peer]);
    networks.cut(first.peer, second.peer);
    for (let count = 0; count < 100; count += 1) first.exchange.send('main', [0]);
    await clock.advance(100);
    networks.heal(first.peer, second.peer);
    first.exchange.send('main', [0]);
    await clock.advance(100);
    expect(second.heard).toEqual([]);
    await clock.advance(limits.errorRetryMs);
    first.exchange.send('main', [0]);
    await clock.advance(100);
    expect(second.heard).toHaveLength(1);
  });

  it('that wait for one neighbour are so many, the newest', async () => {
    const { clock, house } = street(2);
    const [first, second] = [house(0), house(1)];
    first.exchange.setNeighbours([second.peer]);
    const sent = limits.errorQueueMax + 10;
    for (let count = 1; count <= sent; count += 1) first.exchange.send('main', [count / 100]);
    await clock.advance(1_000);
    const errors = second.heard.map(({ error, weight }) => Math.round(((error[0] ?? 0) / weight) * 100));
    // The first one left at once.
    expect(errors).toEqual([1, ...Array.from({ length: limits.errorQueueMax }, (_, index) => index + 11)]);
  });

  it('of a peer that floods are dropped after so many at once, and heard again later', async () => {
    const { clock, house } = street(2);
    const [first, second] = [house(0), house(1)];
    first.exchange.setNeighbours([second.peer]);
    const { errorSignalsBurst } = limits;
    const flood = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent += 10) {
        for (let each = 0; each < 10; each += 1) first.exchange.send('main', [0]);
        await clock.advance(1);
      }
      await clock.advance(100);
    };
    first.exchange.send('main', [0]);
    await clock.advance(1_000);
    second.heard.splice(0);
    await flood(errorSignalsBurst + 100);
    expect(second.heard.length).toBeGreaterThanOrEqual(errorSignalsBurst);
    expect(second.heard.length).toBeLessThan(errorSignalsBurst + 20);
    const before = second.heard.length;
    await clock.advance(1_000);
    await flood(10);
    expect(second.heard.length).toBe(before + 10);
  });

  it('that are none cost the channel they came in', async () => {
    const { clock, house, stop } = street(2);
    const [first, second] = [house(0), house(1)];
    const opened = first.network.open(second.peer, errorProtocol, { signal: stop.signal });
    const channel = await clock.until(opened);
    await channel.send(Uint8Array.of(1, 2, 3));
    await clock.advance(100);
    expect(channel.signal.reason).toEqual(code('CHANNEL_CLOSED'));
    expect(second.heard).toEqual([]);
  });

  it('go to so many neighbours, and to none when it is over', async () => {
    const { clock, house, stop } = street(2);
    const [first, second] = [house(0), house(1)];
    const peers = (count: number): PeerId[] => Array.from({ length: count }, () => second.peer);
    first.exchange.setNeighbours(peers(limits.errorNeighboursMax));
    expect(() => first.exchange.setNeighbours(peers(limits.errorNeighboursMax + 1))).toThrow(code('LIMIT_REACHED'));
    first.exchange.send('main', [0]);
    await clock.advance(100);
    first.exchange.setNeighbours([]);
    first.exchange.send('main', [0]);
    await clock.advance(100);
    expect(second.heard).toHaveLength(1);
    first.exchange.setNeighbours([second.peer]);
    stop.abort();
    first.exchange.send('main', [0]);
    await clock.advance(100);
    expect(second.heard).toHaveLength(1);
  });
});
