import { PeerAiError } from '@peerai/core-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { limits } from './limits.ts';
import { systemRandom } from './random.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the system clock', () => {
  it('sleeps as long as asked and not shorter', async () => {
    let awake = false;
    const sleep = systemClock.sleep(1_000).then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(999);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleep;
    expect(awake).toBe(true);
  });

  it('wakes with ABORTED, or with the reason when that is one of ours, and leaves no timer', async () => {
    const [plain, ours] = [new AbortController(), new AbortController()];
    const sleeps = [systemClock.sleep(1_000, plain.signal), systemClock.sleep(1_000, ours.signal)];
    plain.abort();
    ours.abort(new PeerAiError('REFUSED', 'no'));
    await expect(sleeps[0]).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(sleeps[1]).rejects.toMatchObject({ code: 'REFUSED' });
    await expect(systemClock.sleep(1, plain.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has deadlines that fire TIMEOUT, or earlier with the reason of their parent', async () => {
    const parent = new AbortController();
    const [alone, child] = [systemClock.deadline(50), systemClock.deadline(1_000, parent.signal)];
    await vi.advanceTimersByTimeAsync(49);
    expect(alone.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(alone.reason).toMatchObject({ code: 'TIMEOUT' });
    parent.abort('enough');
    expect([child.reason, systemClock.deadline(1_000, parent.signal).reason]).toEqual(['enough', 'enough']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits longer than one timer can, at its limit and above', async () => {
    const signal = systemClock.deadline(limits.timerMsMax + 1);
    await vi.advanceTimersByTimeAsync(limits.timerMsMax);
    expect(signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal.aborted).toBe(true);
  });

  it('never goes back', () => {
    const before = systemClock.elapsedMs();
    vi.setSystemTime(0);
    expect(systemClock.nowMs()).toBe(0);
    expect(systemClock.elapsedMs()).toBeGreaterThanOrEqual(before);
  });
});

it('gives random bytes of any count, also above what one call of the system gives', () => {
  const bytes = systemRandom.bytes(limits.randomChunkBytesMax * 2 + 1);
  const tail = bytes.subarray(limits.randomChunkBytesMax);
  expect(bytes.length).toBe(limits.randomChunkBytesMax * 2 + 1);
  expect(new Set(tail).size).toBe(256);
  expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16));
  expect(systemRandom.bytes(0)).toHaveLength(0);
});
