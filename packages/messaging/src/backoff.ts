import type { Random } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** Milliseconds to wait after so many failures in a row: 1, 2, 4 … 60 s, ± 20 %. */
export function retryMs(failures: number, random: Random): number {
  const plain = Math.min(limits.retryMsMin * 2 ** Math.max(0, failures - 1), limits.retryMsMax);
  const [high = 0, low = 0] = random.bytes(2);
  const share = ((high << 8) | low) / 0xffff;
  return Math.round(plain * (1 - limits.retryJitter + 2 * limits.retryJitter * share));
}
