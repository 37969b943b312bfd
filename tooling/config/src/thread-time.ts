import { threadCpuUsage } from 'node:process';

/**
 * For tests that bound work: milliseconds that this thread has computed so far. Waiting for a processor that others keep busy is not among them, as
 * it is with a clock.
 */
export function threadMs(): number {
  const { user, system } = threadCpuUsage();
  return (user + system) / 1_000;
}

/** What some work takes of this thread, milliseconds; asked `again` times when it is `slowMs` or more: what is slow by itself is slow every time. */
export function workMs(work: () => void, slowMs: number, again = 5): number {
  const startMs = threadMs();
  work();
  const tookMs = threadMs() - startMs;
  return tookMs >= slowMs && again > 0 ? Math.min(tookMs, workMs(work, slowMs, again - 1)) : tookMs;
}
