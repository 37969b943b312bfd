import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { gossipsub, type GossipSub } from '@libp2p/gossipsub';
import { multiaddr } from '@multiformats/multiaddr';
import type { PeerId } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { createLibp2p } from 'libp2p';
import { afterEach, describe, expect, test } from 'vitest';
import type { TransportNode } from '../libp2p/options.ts';
import { createTestNodes, realClock, relayAddress, until } from '../testing/index.ts';
import { createTopicGuard, type TopicGuard } from './guard.ts';
import { limits } from '../limits.ts';
import { topicLimits } from './limits.ts';
import type { RunningTopics } from './topics.ts';

const nodes = createTestNodes();
const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await nodes.stopAll();
});
const topicsOf = (node: TransportNode): RunningTopics => node.topics as RunningTopics;
function guardOf(node: TransportNode): TopicGuard {
  const { guard } = topicsOf(node);
  if (guard === undefined) throw new TypeError('this node holds nothing back');
  return guard;
}
const name = 'peerai/1/news';

/** A program of somebody else that keeps no limit: libp2p and gossipsub as they come. */
async function flooder(
  target: TransportNode,
  address = target.network.addresses()[0] ?? '',
): Promise<{ readonly peer: string; readonly pubsub: GossipSub }> {
  const node = await createLibp2p({
    addresses: { listen: [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub({ emitSelf: false, allowPublishToZeroTopicPeers: true }) },
  });
  stops.push(() => node.stop());
  await node.dial(multiaddr(address));
  const pubsub = node.services.pubsub;
  await until(() => pubsub.getSubscribers(name).length > 0);
  return { peer: node.peerId.toString(), pubsub };
}
function listening(node: TransportNode): { readonly heard: number[]; readonly judged: () => number } {
  const stop = new AbortController();
  stops.push(() => stop.abort());
  const heard: number[] = [];
  let judged = 0;
  const messages = node.topics.subscribe(
    'news',
    ([first]) => {
      judged += 1;
      return first === 0 ? 'reject' : 'accept';
    },
    stop.signal,
  );
  void (async () => {
    for await (const [first = 0] of messages) heard.push(first);
  })();
  return { heard, judged: () => judged };
}

describe('a real node that keeps no limit', () => {
  test('is not heard any more once it brought a few invalid messages, and others still are', async () => {
    const b = await nodes.agent();
    const { heard, judged } = listening(b);
    const honest = await nodes.agent({ bootstrap: [b.network.addresses()[0] ?? ''] });
    await until(() => topicsOf(honest).subscribers('news').length > 0);
    const { peer, pubsub } = await flooder(b);
    const guard = guardOf(b);
    for (let index = 0; guard.scoreOf(peer) > -80 && index < 200; index += 1) {
      await pubsub.publish(name, Uint8Array.of(0, index));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const before = judged();
    expect(guard.scoreOf(peer)).toBeLessThan(-80);
    expect(guard.counts(name)).toMatchObject({ accepted: 0, rejected: before });
    expect(before).toBeLessThan(60);
    for (let index = 0; index < 100; index += 1) await pubsub.publish(name, Uint8Array.of(2, index));
    await honest.topics.publish('news', Uint8Array.of(1));
    await until(() => heard.includes(1));
    expect(heard).toEqual([1]);
    expect(guard.scoreOf(honest.network.self)).toBeGreaterThanOrEqual(0);
  });

  test('that floods is cut off although each of its messages is valid', async () => {
    // Time stands still for rates, so that a busy machine is as fast a flooder as any.
    const b = await nodes.agent({}, { clock: { ...realClock, elapsedMs: () => 0 } });
    const { heard } = listening(b);
    const { peer, pubsub } = await flooder(b);
    const guard = guardOf(b);
    let sent = 0;
    const most = (topicLimits.topicBurstTaken + topicLimits.topicOverMax) * 3;
    for (; guard.scoreOf(peer) > -80 && sent < most; sent += 1) {
      await pubsub.publish(name, Uint8Array.of(1, sent >> 16, sent >> 8, sent & 255)).catch(() => undefined);
      if (sent % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => guard.scoreOf(peer) < -80);
    const { accepted, ignored, rejected } = guard.counts(name);
    expect(ignored).toBeGreaterThan(0);
    expect(rejected).toBeGreaterThanOrEqual(5);
    expect(heard.length).toBeLessThanOrEqual(accepted);
  }, 60_000);

  test('is held back by the relay that carries topics, before anybody behind it hears of it', async () => {
    const relay = await nodes.relay();
    const b = await nodes.agent({ listen: [], relays: [relayAddress(relay)] });
    await until(() => relay.stats().reservations === 1);
    listening(b);
    await until(() => topicsOf(relay).subscribers('news').length > 0);
    const { peer, pubsub } = await flooder(relay, relayAddress(relay));
    const guard = guardOf(relay);
    for (let index = 0; guard.scoreOf(peer) > -80 && index < 200; index += 1) {
      await pubsub.publish(name, new Uint8Array(65_537).fill(index)).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(guard.scoreOf(peer)).toBeLessThan(-80);
    expect(guardOf(b).counts(name)).toMatchObject({ accepted: 0 });
  });
});

describe('rates', () => {
  const clock = new ManualClock();
  const scored = { score: { params: { topics: {} }, score: () => 0 } };
  const make = (): TopicGuard => createTopicGuard(scored as unknown as GossipSub, clock);
  const [a, b] = ['a' as PeerId, 'b' as PeerId];

  test('our own messages: so many as the limit says at once, then so many a second', async () => {
    const guard = make();
    for (let count = 0; count < topicLimits.topicBurst; count += 1) guard.publish(name);
    expect(() => guard.publish(name)).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
    expect(() => guard.publish('peerai/1/other')).not.toThrow();
    await clock.advance(1_000);
    for (let count = 0; count < topicLimits.topicPerSecond; count += 1) guard.publish(name);
    expect(() => guard.publish(name)).toThrow();
  });

  test('an author’s messages: taken up to the limit, then left out, then invalid where it brings them itself', () => {
    const guard = make();
    const judge = (count: number, via = a): Set<string> =>
      new Set(Array.from({ length: count }, () => guard.judge(name, a, via)));
    expect(judge(topicLimits.topicBurstTaken)).toEqual(new Set(['accept']));
    expect(judge(topicLimits.topicOverMax)).toEqual(new Set(['ignore']));
    expect(judge(1)).toEqual(new Set(['reject']));
    expect(judge(1, b)).toEqual(new Set(['ignore']));
    expect(guard.judge(name, b, a)).toBe('accept');
    expect(guard.judge('peerai/1/other', a, a)).toBe('accept');
  });

  test('an author’s messages: when too many came at once, `topicPerSecondTaken` more are taken a second later', async () => {
    const guard = make();
    const judge = () => guard.judge(name, a, b);
    for (let count = 0; count < topicLimits.topicBurstTaken; count += 1) judge();
    expect(judge()).toBe('ignore');
    await clock.advance(1_000);
    const verdicts = Array.from({ length: topicLimits.topicPerSecondTaken }, judge);
    expect(new Set(verdicts)).toEqual(new Set(['accept']));
    expect(judge()).toBe('ignore');
  });

  test('so many authors are remembered as the limit says', () => {
    const guard = make();
    for (let count = 0; count < topicLimits.topicBurstTaken; count += 1) guard.judge(name, a, a);
    const others = (count: number): void => {
      for (let index = 0; index < count; index += 1) guard.judge(name, `${index}` as PeerId, b);
    };
    others(topicLimits.topicRatesMax - 1);
    expect(guard.judge(name, a, a)).toBe('ignore');
    others(topicLimits.topicRatesMax);
    expect(guard.judge(name, a, a)).toBe('accept');
  });
});

test('a subscriber is full with so many messages, or so many bytes, and not with one less', async () => {
  const { isFull } = guardOf(await nodes.agent());
  const waiting = (count: number, length: number): Uint8Array[] =>
    Array.from({ length: count }, () => new Uint8Array(length));
  const { topicWaitingMax, topicWaitingBytesMax } = topicLimits;
  expect([isFull(waiting(topicWaitingMax - 1, 1)), isFull(waiting(topicWaitingMax, 1))]).toEqual([false, true]);
  const largest = topicWaitingBytesMax / limits.topicMessageBytesMax;
  expect(isFull(waiting(largest, limits.topicMessageBytesMax))).toBe(true);
  expect(isFull([...waiting(largest - 1, limits.topicMessageBytesMax), new Uint8Array(65_535)])).toBe(false);
});
