import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { type Buckets, bucketOf, bucketSizes, createBuckets } from './buckets.ts';
import { httpLimits } from './limits.ts';

const [alice, bob] = ['alice', 'bob'] as PeerId[] as [PeerId, PeerId];

/** How many go through until one is refused, and when to come back. */
function drain(buckets: Buckets, peer: PeerId, kind: string): readonly [count: number, retryAfterMs: unknown] {
  for (let count = 0; ; count += 1) {
    try {
      buckets.take(peer, kind);
    } catch (error) {
      if (!PeerAiError.is(error, 'RATE_LIMITED')) throw error;
      return [count, error.details['retryAfterMs']];
    }
  }
}

describe('Token buckets', () => {
  it.each(Object.entries(bucketSizes))('%s: the whole burst and no more, then one at its rate', async (kind, size) => {
    const clock = new ManualClock();
    const buckets = createBuckets(clock);
    const oneMs = 60_000 / size.perMinute;
    expect(drain(buckets, alice, kind)).toEqual([size.burst, oneMs]);
    await clock.advance(oneMs - 1);
    expect(drain(buckets, alice, kind)[0]).toBe(0);
    await clock.advance(1);
    expect(drain(buckets, alice, kind)[0]).toBe(1);
    await clock.advance(86_400_000);
    expect(drain(buckets, alice, kind)[0]).toBe(size.burst);
  });

  it('say of a name that somebody gives only whether it is spent, and take nothing', async () => {
    const clock = new ManualClock();
    const buckets = createBuckets(clock);
    const isSpent = (peer: PeerId, kind: string): unknown => {
      try {
        buckets.refuseSpent(peer, kind);
        return false;
      } catch (error) {
        return PeerAiError.is(error, 'RATE_LIMITED') && error.details['retryAfterMs'];
      }
    };
    const oneMs = 60_000 / bucketSizes.task.perMinute;
    for (let count = 0; count < bucketSizes.task.burst; count += 1) {
      expect(isSpent(alice, 'task_delegate')).toBe(false);
      buckets.take(alice, 'task_delegate');
    }
    // The bucket is empty, and nobody was refused yet.
    expect(isSpent(alice, 'task_delegate')).toBe(false);
    drain(buckets, alice, 'task_delegate');
    expect(isSpent(alice, 'task_progress')).toBe(oneMs);
    expect([isSpent(alice, 'text'), isSpent(bob, 'task_delegate')]).toEqual([false, false]);
    await clock.advance(oneMs - 1);
    expect(isSpent(alice, 'task_delegate')).toBe(1);
    await clock.advance(1);
    expect(isSpent(alice, 'task_delegate')).toBe(false);
    expect(drain(buckets, alice, 'task_delegate')[0]).toBe(1);
  });

  it('are one for each peer and each sort of kind', () => {
    const buckets = createBuckets(new ManualClock());
    drain(buckets, alice, 'task_delegate');
    expect(drain(buckets, alice, 'task_progress')[0]).toBe(0);
    expect(drain(buckets, alice, 'heartbeat')[0]).toBe(bucketSizes.heartbeat.burst);
    expect(drain(buckets, bob, 'task_delegate')[0]).toBe(bucketSizes.task.burst);
    expect([bucketOf('handshake_ack'), bucketOf('constructor'), bucketOf('text')]).toEqual([
      'handshake',
      'other',
      'other',
    ]);
  });

  it('are remembered for so many peers and no more; the one heard of longest ago goes', () => {
    const buckets = createBuckets(new ManualClock(), 2);
    drain(buckets, alice, 'discovery');
    drain(buckets, bob, 'discovery');
    expect(drain(buckets, alice, 'discovery')[0]).toBe(0);
    drain(buckets, 'carol' as PeerId, 'discovery');
    expect(buckets.owners).toBe(2);
    expect(drain(buckets, alice, 'discovery')[0]).toBe(0);
    expect(drain(buckets, bob, 'discovery')[0]).toBe(bucketSizes.discovery.burst);
  });
});

it('are remembered for `bucketOwnersMax` identities: with one more the one heard of longest ago is forgotten', () => {
  const buckets = createBuckets(new ManualClock());
  drain(buckets, alice, 'handshake');
  for (let at = 1; at < httpLimits.bucketOwnersMax; at += 1) buckets.take(`peer ${at}` as PeerId, 'task');
  const isKnown = () => buckets.refuseSpent(alice, 'handshake');
  expect(isKnown).toThrow('too many');
  buckets.take(bob, 'task');
  expect(isKnown).not.toThrow();
  expect(buckets.owners).toBe(httpLimits.bucketOwnersMax);
});
