import { createIdentity, type Network, nobleCrypto, PeerAiError } from '@peerai/core-protocol';
import { ManualClock, seededRandom, silentLogger } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { createEventHub } from '../events/hub.ts';
import { metricsLimits as limits } from './limits.ts';
import { openMetricsRoom } from './metrics-room.ts';

/** A room that watches one peer, which tells nothing; when it was asked, and when this one told of a state. */
function room() {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const identity = createIdentity(nobleCrypto, random.bytes(32));
  const other = createIdentity(nobleCrypto, random.bytes(32)).peer;
  const [askedMs, toldMs] = [[] as number[], [] as number[]];
  const network = {
    open: async () => {
      askedMs.push(clock.elapsedMs());
      throw new PeerAiError('PEER_UNREACHABLE', 'away');
    },
  } as unknown as Network;
  const stopping = new AbortController();
  const metrics = openMetricsRoom({
    identity,
    network,
    crypto: nobleCrypto,
    clock,
    logger: silentLogger,
    events: { ...createEventHub(), emit: () => void toldMs.push(clock.elapsedMs()) },
    nameOf: () => 'other',
    rules: [],
    sample: () => undefined,
    others: () => [other],
    mayTrain: () => true,
    scoreOf: () => 1,
    forged: () => undefined,
    stopping: stopping.signal,
  });
  return { clock, metrics, askedMs, toldMs, stop: () => stopping.abort() };
}

test('who watches is told each `metricsEveryMs`, not a millisecond sooner', async () => {
  const { clock, metrics, toldMs, stop } = room();
  metrics.watch(60_000);
  await clock.advance(limits.metricsEveryMs - 1);
  expect(toldMs).toEqual([0]);
  await clock.advance(1);
  expect(toldMs).toEqual([0, limits.metricsEveryMs]);
  stop();
});

test('a peer that gave no state is asked again after `metricsAgainMs`, at a look', async () => {
  const { clock, metrics, askedMs, stop } = room();
  expect(limits.metricsAgainMs % limits.metricsEveryMs).toBe(0);
  metrics.watch(60_000);
  await clock.advance(limits.metricsAgainMs - 1);
  expect(askedMs).toEqual([0]);
  await clock.advance(1);
  expect(askedMs).toEqual([0, limits.metricsAgainMs]);
  stop();
});
