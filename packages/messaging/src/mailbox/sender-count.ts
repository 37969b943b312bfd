import {
  type Clock,
  type CryptoProvider,
  PeerAiError,
  type PeerId,
  type Random,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { mailboxLimits } from './limits.ts';

/** Counts letters per sender under a name that only this process can make of a peer id. Throws RATE_LIMITED. */
export function createSenderCount({
  clock,
  crypto,
  random,
}: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
}): (from: PeerId) => void {
  const salt = random.bytes(32);
  const counts = new Map<string, number>();
  let startedMs = clock.elapsedMs();
  return (from) => {
    const elapsedMs = clock.elapsedMs() - startedMs;
    if (elapsedMs >= mailboxLimits.depositWindowMs || counts.size >= mailboxLimits.sendersCountedMax) {
      counts.clear();
      startedMs = clock.elapsedMs();
    }
    const name = toHex(crypto.sha256(salt, utf8(from)).subarray(0, 16));
    const count = counts.get(name) ?? 0;
    if (count >= mailboxLimits.depositsPerWindowMax) {
      const retryAfterMs = Math.max(1, startedMs + mailboxLimits.depositWindowMs - clock.elapsedMs());
      throw new PeerAiError('RATE_LIMITED', 'too many letters were left here in a short time', { retryAfterMs });
    }
    counts.set(name, count + 1);
  };
}
