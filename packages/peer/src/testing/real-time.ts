import type { ManualClock } from '@peerai/core-protocol/testing';

/** Training's steps are made in real threads, which a manual clock does not wait for. */
export async function untilTrained<T>(
  clock: ManualClock,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (let turn = 0; turn < 5_000; turn += 1) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await clock.advance(50);
    await new Promise((resolve) => void setTimeout(resolve, 2));
  }
  throw new Error('the condition did not come true');
}

/** For what a thread or a disk is slow with: time moves little by little until it is over, and never by an hour while nothing happens. */
export async function whileTimeGoes<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => void (over = true);
  work.then(end, end);
  await untilTrained(clock, () => over);
  return work;
}

/**
 * For what a thread computes while a call of a protocol waits for it: time goes as slowly as it really does, so that a busy machine does not look like a peer
 * that fell silent.
 */
export async function untilSlowly(clock: ManualClock, look: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 50_000; turn += 1) {
    if (await look()) return;
    await clock.advance(2);
    await new Promise((resolve) => void setTimeout(resolve, 2));
  }
  throw new Error('the condition did not come true');
}

export async function whileTimeCreeps<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const end = (): void => void (isOver = true);
  work.then(end, end);
  await untilSlowly(clock, () => isOver);
  return work;
}
