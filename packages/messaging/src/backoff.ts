import type { Clock, Random } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** Milliseconds to wait after so many failures in a row: 1, 2, 4 … 60 s, ± 20 %. */
export function retryMs(failures: number, random: Random): number {
  const plain = Math.min(limits.retryMsMin * 2 ** Math.max(0, failures - 1), limits.retryMsMax);
  const [high = 0, low = 0] = random.bytes(2);
  const share = ((high << 8) | low) / 0xffff;
  return Math.round(plain * (1 - limits.retryJitter + 2 * limits.retryJitter * share));
}

/**
 * The wait before the next attempt. What ends it early, such as a link that comes up, does so never below the shortest wait: it may be gone again at once.
 *
 * @param options - `leastMs`: not before that, whatever happens; `nudge` ends the wait early
 */
export async function rest(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  failures: number,
  { nudge, leastMs = 0 }: { readonly nudge: AbortSignal; readonly leastMs?: number },
  signal: AbortSignal,
): Promise<void> {
  const wholeMs = Math.max(leastMs, retryMs(failures, random));
  const firstMs = Math.max(leastMs, Math.min(wholeMs, limits.retryMsMin));
  const either = AbortSignal.any([signal, nudge]);
  await clock.sleep(firstMs, signal).catch(() => undefined);
  if (!either.aborted && wholeMs > firstMs) await clock.sleep(wholeMs - firstMs, either).catch(() => undefined);
}
