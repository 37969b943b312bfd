import { setTimeout as sleep } from 'node:timers/promises';

/** The value below which this share of sorted values lies; NaN of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Looks until it is so or the time is over. */
export async function until(look: () => boolean, msMax: number): Promise<void> {
  const end = performance.now() + msMax;
  while (!look() && performance.now() < end) await sleep(50);
}
