import { threadMs } from '@peerai/config/thread-time';
import { type CallOptions, createIdentity, PeerAiError, serveMethod, streamMethod } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { openState, signState } from '@peerai/nn-engine/metrics';
import { afterEach, expect, test } from 'vitest';
import { clusterRequestSchema, clusterStepsSchema } from '../clusters/clusters.schema.ts';
import type { ControlEvent } from '../control/events.ts';
import { metricsLimits } from './limits.ts';
import { type PeerOptions, type TestPeer, testWorld, type TestWorld } from '../testing/peers.ts';
import { live, pair, until } from '../testing/steps.ts';
import { metricsMethod } from './metrics-protocol.ts';
import { metricsWatchSchema } from './metrics.schema.ts';

const started: TestPeer[] = [];
afterEach(async () => {
  for (const { peer } of started.splice(0)) await peer.stop();
});
async function peerOf(world: TestWorld, name: string, options: PeerOptions = {}): Promise<TestPeer> {
  const one = await world.peer(name, options);
  started.push(one);
  return one;
}
async function two(allow: Parameters<typeof pair>[3] = ['chat', 'train']) {
  const world = testWorld();
  const [a, b] = [await peerOf(world, 'a'), await peerOf(world, 'b')];
  await pair(world, a, b, allow);
  return { world, a, b };
}
const make = ({ peer }: TestPeer, name = 'x') => peer.clusters.create(clusterRequestSchema.parse({ name }));
function eventsOf({ peer }: TestPeer): ControlEvent[] {
  const heard: ControlEvent[] = [];
  void (async () => {
    for await (const { event } of peer.events.subscribe(live())) heard.push(event);
  })();
  return heard;
}

test('who watches hears a signed state of a peer each second, and the collective value is the mean', async () => {
  const { world, a, b } = await two();
  await make(a);
  await make(b, 'y');
  await b.peer.clusters.process(
    'y',
    clusterStepsSchema.parse({
      inputs: [
        [1, 1],
        [2, 0],
      ],
    }),
    live(),
  );
  const events = eventsOf(a);
  expect(await a.peer.metrics.watch(10_000)).toMatchObject({ others: [], collective: { weights: 'reputation' } });
  await until(world.clock, async () => (await a.peer.metrics.view()).others.length === 1);
  const first = await a.peer.metrics.view();
  expect(first.others).toMatchObject([{ peerId: b.identity.peer, name: 'b' }]);
  const [own, other] = [first.own?.metrics.entropy, first.others[0]?.metrics.entropy];
  // Of a cluster at rest there is no entropy: the mean is of those that have one.
  expect([own, first.collective.metrics.entropy, first.collective.peers]).toEqual([null, other, 2]);
  // This peer's own state weighs 1, that of a device nothing is known of 0.3.
  const [calm, stirred] = [first.own?.metrics.arousal ?? Number.NaN, first.others[0]?.metrics.arousal ?? Number.NaN];
  expect([calm, stirred > 0]).toEqual([0, true]);
  expect(first.collective.metrics.arousal).toBeCloseTo((0.3 * stirred) / 1.3, 12);
  expect(await b.peer.metrics.view()).toMatchObject({ subscribers: 1 });
  await world.clock.advance(3_000);
  expect((await a.peer.metrics.view()).others[0]?.timeMs).toBeGreaterThan(first.others[0]?.timeMs ?? 0);
  const updates = events.filter(({ type }) => type === 'metrics_update').length;
  expect(updates).toBeGreaterThanOrEqual(3);
  // Nobody looks any more: nothing is told, nobody is sent anything, and what was heard grows stale.
  await world.clock.advance(30_000);
  const after = await a.peer.metrics.view();
  expect(after).toMatchObject({ others: [], watchedUntilMs: null, collective: { peers: 1 } });
  expect(await b.peer.metrics.view()).toMatchObject({ subscribers: 0 });
  const told = events.filter(({ type }) => type === 'metrics_update').length;
  await world.clock.advance(5_000);
  expect(events.filter(({ type }) => type === 'metrics_update')).toHaveLength(told);
});

test('a state without a cluster is none, and one comes as soon as there is a cluster', async () => {
  const { world, a, b } = await two();
  await a.peer.metrics.watch(60_000);
  await world.clock.advance(5_000);
  expect(await a.peer.metrics.view()).toMatchObject({ own: null, others: [], collective: { peers: 0 } });
  await make(b);
  await until(world.clock, async () => (await a.peer.metrics.view()).others.length === 1);
});

test('without the right nothing is heard, and taken away it ends', async () => {
  const { world, a, b } = await two();
  await make(b);
  await a.peer.metrics.watch(60_000);
  await until(world.clock, async () => (await a.peer.metrics.view()).others.length === 1);
  await b.peer.peers.change('a', { allow: ['chat'] });
  await world.clock.advance(30_000);
  expect((await a.peer.metrics.view()).others).toEqual([]);
  expect((await b.peer.metrics.view()).subscribers).toBe(0);
  expect(b.peer.isGranted(a.identity.peer, '/peerai/metrics/1')).toBe(false);
});

test('what is unsigned, stale, from the future or another’s is left out', async () => {
  const world = testWorld();
  const [a, b] = [await peerOf(world, 'a'), await peerOf(world, 'b')];
  await pair(world, a, b, ['chat', 'train']);
  const nothing = { phi: 0.5, coherence: undefined, entropy: undefined, valence: 0, arousal: 0 };
  const metrics = { ...nothing, empathy: undefined, insight: undefined };
  const stranger = createIdentity(nodeCrypto, seededRandom(9).bytes(32));
  const nowMs = world.clock.nowMs();
  const good = signState(b.identity, { metrics, sequence: 3, timeMs: nowMs });
  const said = [
    new Uint8Array([1, 2, 3]),
    signState(b.identity, { metrics, sequence: 1, timeMs: nowMs - 20_000 }),
    signState(b.identity, { metrics, sequence: 2, timeMs: nowMs + 20_000 }),
    good,
    good.map((byte, index) => (index === good.length - 1 ? byte ^ 1 : byte)),
    signState(stranger, { metrics, sequence: 1, timeMs: nowMs }),
  ];
  // In its place speaks one who keeps to none of it.
  await b.peer.stop();
  started.splice(1);
  const network = world.networks.join(b.identity.peer, { isGranted: () => true });
  serveMethod(
    network,
    metricsMethod,
    async function* answer() {
      for (const state of said) yield { state };
    },
    world,
  );
  await network.open(a.identity.peer, metricsMethod.protocol, { signal: live() }).catch(() => undefined);
  await a.peer.metrics.watch(5_000);
  await until(world.clock, async () => (await a.peer.metrics.view()).others.length > 0);
  expect((await a.peer.metrics.view()).others).toMatchObject([{ peerId: b.identity.peer, timeMs: nowMs }]);
  // Over its own link a wrong signature is its own doing.
  await until(world.clock, () => a.peer.isBlocked(b.identity.peer));
  expect((await a.peer.reputation.get('b')).reputation.refused).toMatchObject({ deed: 'forgery' });
});

test('an alert is said once, and once when it is over', async () => {
  const world = testWorld();
  const rule = { metric: 'arousal', when: 'above', threshold: 0.2, hysteresis: 0.1 } as const;
  const a = await peerOf(world, 'a', { settings: { metricAlerts: [rule] } });
  const events = eventsOf(a);
  const alerts = () => events.filter((event) => event.type === 'metrics-alert').map(({ raised }) => raised);
  await make(a);
  await world.clock.advance(2_000);
  const steps = (value: number) =>
    clusterStepsSchema.parse({ inputs: Array.from({ length: 5 }, () => [value, value]) });
  await a.peer.clusters.process('x', steps(50), live());
  await world.clock.advance(5_000);
  expect(alerts()).toEqual([true]);
  expect((await a.peer.metrics.view()).alerts).toEqual([{ ...rule, raised: true }]);
  // A trial of nothing leaves every node at rest.
  await a.peer.clusters.remove('x');
  await make(a);
  await world.clock.advance(5_000);
  expect(alerts()).toEqual([true, false]);
});

test('watching has a length, and a message a size', async () => {
  const fits = (forMs: number) => metricsWatchSchema.safeParse({ forMs }).success;
  expect([fits(0), fits(1), fits(metricsLimits.metricsWatchMsMax), fits(metricsLimits.metricsWatchMsMax + 1)]).toEqual([
    false,
    true,
    true,
    false,
  ]);
  const { world, a, b } = await two();
  await make(b);
  const network = world.networks.join(a.identity.peer, { isGranted: () => true });
  const options: CallOptions = { signal: live() };
  const stream = streamMethod({ network, clock: world.clock }, b.identity.peer, metricsMethod, { version: 1 }, options);
  const { value } = await world.clock.until(stream.next());
  const state = value?.state ?? new Uint8Array();
  expect(openState(nodeCrypto, state).peer).toBe(b.identity.peer);
  expect(metricsMethod.response.encode({ state }).length).toBeLessThan(metricsLimits.metricsMessageBytesMax);
  await stream.return(undefined);
});

test('ten thousand mutated states: nothing but PeerAiError, nothing slow', () => {
  const identity = createIdentity(nodeCrypto, seededRandom(3).bytes(32));
  const metrics = { phi: 0.1, coherence: 0.2, entropy: 0.3, valence: -0.4, arousal: 0.5, empathy: 0.9, insight: 0 };
  const valid = metricsMethod.response.encode({ state: signState(identity, { metrics, sequence: 1, timeMs: 2 }) });
  const random = seededRandom(4);
  let [refused, slowestMs] = [0, 0];
  for (let turn = 0; turn < 10_000; turn += 1) {
    const input = mutated(valid, random);
    const startMs = threadMs();
    try {
      openState(nodeCrypto, metricsMethod.response.decode(input).state);
    } catch (error) {
      refused += 1;
      if (!PeerAiError.is(error)) throw error;
    }
    slowestMs = Math.max(slowestMs, threadMs() - startMs);
  }
  expect(slowestMs).toBeLessThan(250);
  expect(refused).toBeGreaterThan(5_000);
});
