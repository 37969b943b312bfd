import { type Network, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createExchange } from './exchange.ts';
import { createReachability } from './reachability.ts';

/** One that is linked to so many, of whom none answers; or all refuse at once. */
function linkedTo(count: number, refuses = false) {
  const clock = new ManualClock();
  const askedMs: number[] = [];
  const network = {
    self: 'self' as PeerId,
    open: (_: PeerId, __: unknown, { signal }: { readonly signal: AbortSignal }) => {
      askedMs.push(clock.elapsedMs());
      if (refuses) return Promise.reject(new PeerAiError('REFUSED', 'no'));
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    },
  } as unknown as Network;
  const links = new Map(Array.from({ length: count }, (_, at) => [`p${at}` as PeerId, '/ip4/127.0.0.1/tcp/9']));
  const exchange = createExchange({
    network,
    clock,
    random: seededRandom(1),
    known: () => [],
    learn: () => true,
    reachability: createReachability(clock),
    links: () => links,
  });
  return { clock, askedMs, exchange, stopping: new AbortController() };
}

test('a peer that does not answer is given up after `exchangeMs`, not a millisecond before', async () => {
  const { clock, exchange, stopping } = linkedTo(1);
  let code: unknown;
  exchange.ask('p0' as PeerId, stopping.signal).catch((error: unknown) => {
    ({ code } = error as { readonly code?: string });
  });
  await clock.advance(limits.exchangeMs - 1);
  expect(code).toBeUndefined();
  await clock.advance(1);
  expect(code).toBe('TIMEOUT');
});

test('`exchangeQuestionsAtOnce` peers are asked at once, and the next when one of them is given up', async () => {
  const { clock, askedMs, exchange, stopping } = linkedTo(limits.exchangeQuestionsAtOnce + 1);
  exchange.run(stopping.signal);
  await clock.advance(limits.exchangeMs - 1);
  expect(askedMs).toHaveLength(limits.exchangeQuestionsAtOnce);
  await clock.advance(1 + limits.exchangeLookMs);
  expect(askedMs).toHaveLength(limits.exchangeQuestionsAtOnce + 1);
  stopping.abort();
});

test('the same peer is asked again at the first look after `exchangeAgainMs`', async () => {
  const { clock, askedMs, exchange, stopping } = linkedTo(1, true);
  exchange.run(stopping.signal);
  const dueMs = Math.ceil(limits.exchangeAgainMs / limits.exchangeLookMs) * limits.exchangeLookMs;
  await clock.advance(dueMs - 1);
  expect(askedMs).toEqual([0]);
  await clock.advance(1);
  expect(askedMs).toEqual([0, dueMs]);
  stopping.abort();
});
