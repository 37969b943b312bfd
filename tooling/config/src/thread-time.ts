import { threadCpuUsage } from 'node:process';

/**
 * For tests that bound work: milliseconds that this thread has computed so far. Waiting for a processor that others keep busy is not among them, as
 * it is with a clock.
 */
export function threadMs(): number {
  const { user, system } = threadCpuUsage();
  return (user + system) / 1_000;
}
