import { PeerAiError, type PeerId, type Random } from '@peerai/core-protocol';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { routeLimits } from './limits.ts';
import { createPaths } from './paths.ts';
import { layerCodec, pathsMethod, routeMethod } from './protocol.ts';
import { createQuota } from './quota.ts';

const id = (name: string): PeerId => name as PeerId;
const way = (...names: readonly string[]) => ({ peers: names.map(id), costMs: 10 });
const ways = (paths: ReturnType<typeof createPaths>, to: string) =>
  paths.to(id(to)).map(({ peers }) => peers.join(' '));

test('paths through oneself, with a peer twice, or of six links are left out', () => {
  const paths = createPaths(id('me'), new ManualClock());
  paths.learn(id('b'), 5, [way('c'), way('me', 'c'), way('d', 'b', 'c'), way('d', 'd'), way('e', 'f', 'g', 'c')]);
  expect(ways(paths, 'c')).toEqual(['b c', 'b e f g c']);
  paths.learn(id('b'), 5, [way('e', 'f', 'g', 'h', 'c')]);
  expect(ways(paths, 'c')).toEqual([]);
});

test('the quicker path is better, until it loses letters or turns out slow', () => {
  const clock = new ManualClock();
  const paths = createPaths(id('me'), clock);
  paths.learn(id('b'), 5, [way('c')]);
  paths.learn(id('d'), 50, [way('c')]);
  expect(ways(paths, 'c')).toEqual(['b c', 'd c']);
  const [quick] = paths.to(id('c'));
  for (let turn = 0; turn < 8; turn += 1) paths.measure(quick ?? way(), undefined);
  expect(ways(paths, 'c')).toEqual(['d c', 'b c']);
  for (let turn = 0; turn < 20; turn += 1) paths.measure(quick ?? way(), 8);
  expect(ways(paths, 'c')).toEqual(['b c', 'd c']);
  for (let turn = 0; turn < 20; turn += 1) paths.measure(quick ?? way(), 900);
  expect(ways(paths, 'c')).toEqual(['d c', 'b c']);
});

test('four paths to one peer are kept, and none that its neighbour has not told of for long', async () => {
  const clock = new ManualClock();
  const paths = createPaths(id('me'), clock);
  for (const name of ['a', 'b', 'd', 'e', 'f']) paths.learn(id(name), 5, [way('c')]);
  expect(ways(paths, 'c')).toHaveLength(routeLimits.pathsPerPeerMax);
  await clock.advance(routeLimits.pathsKeptMs);
  expect(ways(paths, 'c')).toHaveLength(routeLimits.pathsPerPeerMax);
  await clock.advance(1);
  expect(ways(paths, 'c')).toEqual([]);
});

test('so many letters are forwarded at once, for one peer and for all, and so many bytes in a minute', async () => {
  const clock = new ManualClock();
  const quota = createQuota(clock);
  const code = (from: string, bytes = 1): string => {
    try {
      quota(id(from), bytes)[Symbol.dispose]();
      return 'taken';
    } catch (error) {
      return PeerAiError.is(error) ? error.code : String(error);
    }
  };
  const mine = Array.from({ length: routeLimits.forwardsPerPeerMax }, () => quota(id('a'), 1));
  expect([code('a'), code('b')]).toEqual(['LIMIT_REACHED', 'taken']);
  const rest = routeLimits.forwardsMax - mine.length;
  const others = Array.from({ length: rest }, (_, count) => quota(id(`x${count}`), 1));
  expect(code('b')).toBe('LIMIT_REACHED');
  for (const one of [...mine, ...others]) one[Symbol.dispose]();
  expect(code('b')).toBe('taken');
  expect(code('c', routeLimits.bytesPerWindowMax)).toBe('taken');
  expect(code('c', 1)).toBe('RATE_LIMITED');
  expect(code('d', routeLimits.bytesPerWindowMax + 1)).toBe('RATE_LIMITED');
  await clock.advance(routeLimits.windowMs);
  expect(code('c')).toBe('taken');
});

const random = seededRandom(8);
const offered = { peers: ['a', 'b'], costMs: 5, records: [random.bytes(20), random.bytes(20)] };
test.each([
  ['packet', routeMethod.request.encode({ hopsLeft: 3, timeMs: 9, layer: random.bytes(30) }), routeMethod.request],
  ['answer', routeMethod.response.encode({ answer: random.bytes(30) }), routeMethod.response],
  ['layer', layerCodec.encode({ next: 'x', answerKey: random.bytes(32), inner: random.bytes(9) }), layerCodec],
  ['offer', pathsMethod.response.encode({ paths: [offered, offered] }), pathsMethod.response],
] as const)('a %s: 10,000 mutations, nothing but our errors', (_, valid, codec) => {
  for (let turn = 0; turn < 10_000; turn += 1) {
    try {
      codec.decode(mutate(valid, random));
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
});

function mutate(valid: Uint8Array, mutations: Random): Uint8Array {
  const [place = 0, mask = 1, kind = 0] = mutations.bytes(3);
  const at = place % valid.length;
  if (kind % 3 === 0) return valid.slice(0, at);
  if (kind % 3 === 1) return Uint8Array.from([...valid.subarray(0, at), mask, ...valid.subarray(at)]);
  const bytes = valid.slice();
  bytes[at] = (bytes[at] ?? 0) ^ (mask === 0 ? 1 : mask);
  return bytes;
}

test('the newest measurement counts for its weight, and a path that loses nearly all costs no more than the most', () => {
  const paths = createPaths(id('me'), new ManualClock());
  const cost = (): number => paths.best()[0]?.costMs ?? 0;
  paths.learn(id('b'), 0, [{ peers: [id('c')], costMs: 0 }]);
  const [path] = paths.to(id('c'));
  paths.measure(path ?? way(), 1_000);
  paths.measure(path ?? way(), 2_000);
  // A millisecond for the hop itself stands in every cost.
  expect(cost()).toBe(1_000 + routeLimits.measureWeight * 1_000 + 1);
  const said = (costMs: number): number => {
    paths.learn(id('b'), 0, [{ peers: [id('d')], costMs }]);
    return cost();
  };
  expect(said(routeLimits.pathCostMsMax - 1)).toBe(routeLimits.pathCostMsMax);
  expect(said(routeLimits.pathCostMsMax)).toBe(routeLimits.pathCostMsMax);
  expect(said(routeLimits.pathCostMsMax - 2)).toBe(routeLimits.pathCostMsMax - 1);
});
