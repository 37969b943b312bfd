import { PeerAiError } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { type Breaker, createBreaker } from './breaker.ts';
import { httpLimits } from './limits.ts';

const failing = (breaker: Breaker): Promise<unknown> =>
  breaker.run(async () => Promise.reject(new Error('down'))).catch((error: unknown) => error);
const calls = async (breaker: Breaker): Promise<boolean> => {
  let called = false;
  await breaker.run(async () => (called = true)).catch(() => undefined);
  return called;
};

describe('A circuit breaker', () => {
  it('opens at the fifth failure in a row, not at the fourth, and a success in between starts anew', async () => {
    const breaker = createBreaker(new ManualClock());
    for (let count = 1; count < httpLimits.breakerFailuresMax; count += 1) await failing(breaker);
    expect(await calls(breaker)).toBe(true);
    for (let count = 1; count < httpLimits.breakerFailuresMax; count += 1) await failing(breaker);
    expect(breaker.state).toBe('closed');
    await failing(breaker);
    expect([breaker.state, await calls(breaker)]).toEqual(['open', false]);
  });

  it('fails at once while it is open and says when to come back', async () => {
    const clock = new ManualClock();
    const breaker = await opened(clock);
    await clock.advance(httpLimits.breakerOpenMs - 1);
    const error = await failing(breaker);
    expect(PeerAiError.is(error, 'PEER_UNREACHABLE') && error.details).toEqual({ retryAfterMs: 1 });
  });

  it('lets three trials run at a time after 30 s; a success closes it', async () => {
    const clock = new ManualClock();
    const breaker = await opened(clock);
    await clock.advance(httpLimits.breakerOpenMs);
    const waiting = Array.from({ length: httpLimits.breakerTrialsMax }, () => Promise.withResolvers<void>());
    const trials = waiting.map(({ promise }) => breaker.run(() => promise));
    expect([breaker.state, await calls(breaker)]).toEqual(['trying', false]);
    for (const { resolve } of waiting) resolve();
    await Promise.all(trials);
    expect([breaker.state, await calls(breaker)]).toEqual(['closed', true]);
  });

  it('opens again for 30 s at the first trial that fails', async () => {
    const clock = new ManualClock();
    const breaker = await opened(clock);
    await clock.advance(httpLimits.breakerOpenMs);
    await failing(breaker);
    await clock.advance(httpLimits.breakerOpenMs - 1);
    expect([breaker.state, await calls(breaker)]).toEqual(['open', false]);
    await clock.advance(1);
    expect(await calls(breaker)).toBe(true);
  });
});

async function opened(clock: ManualClock): Promise<Breaker> {
  const breaker = createBreaker(clock);
  for (let count = 0; count < httpLimits.breakerFailuresMax; count += 1) await failing(breaker);
  return breaker;
}
