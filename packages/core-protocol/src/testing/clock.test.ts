import { expect, it } from 'vitest';
import { ManualClock, settle } from './clock.ts';

it('fires sleepers in the order of their time, each at its time', async () => {
  const clock = new ManualClock(1_000);
  const log: [string, number][] = [];
  const sleeper = async (name: string, ...naps: number[]): Promise<void> => {
    for (const nap of naps) {
      await clock.sleep(nap);
      log.push([name, clock.nowMs()]);
    }
  };
  const all = Promise.all([sleeper('a', 30, 5), sleeper('b', 10, 30), sleeper('c', 10)]);
  await clock.advance(29);
  expect(log).toEqual([
    ['b', 1_010],
    ['c', 1_010],
  ]);
  await clock.advance(100);
  await all;
  expect(log.slice(2)).toEqual([
    ['a', 1_030],
    ['a', 1_035],
    ['b', 1_040],
  ]);
  expect([clock.elapsedMs(), clock.pending]).toEqual([129, 0]);
});

it('ends a sleep when its signal fires, and forgets the timer', async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const sleeping = clock.sleep(1_000, controller.signal);
  controller.abort();
  await expect(sleeping).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(clock.sleep(1, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  expect(clock.pending).toBe(0);
});

it('fires a deadline with TIMEOUT, or earlier with the reason of its parent', async () => {
  const clock = new ManualClock();
  const parent = new AbortController();
  const [alone, child] = [clock.deadline(10), clock.deadline(1_000, parent.signal)];
  await clock.advance(9);
  expect(alone.aborted).toBe(false);
  await clock.advance(1);
  expect(alone.reason).toMatchObject({ code: 'TIMEOUT' });
  parent.abort('enough');
  expect([child.aborted, child.reason, clock.pending]).toEqual([true, 'enough', 0]);
  expect(clock.deadline(5, parent.signal).reason).toBe('enough');
});

it('moves as far as a promise needs, and says when nothing moves any more', async () => {
  const clock = new ManualClock();
  await clock.until(
    (async () => {
      await clock.sleep(20_000);
      await clock.sleep(3_000);
    })(),
  );
  expect(clock.elapsedMs()).toBe(23_000);
  await expect(clock.until(new Promise(() => {}))).rejects.toMatchObject({ code: 'TIMEOUT' });
});

it('lets the wall clock jump without moving timers', async () => {
  const clock = new ManualClock(0);
  let fired = false;
  void clock.sleep(10).then(() => (fired = true));
  clock.jump(1_000_000);
  await settle();
  expect([clock.nowMs(), clock.elapsedMs(), fired]).toEqual([1_000_000, 0, false]);
});
