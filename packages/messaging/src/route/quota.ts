import { type Clock, PeerAiError, type PeerId } from '@peerai/core-protocol';
import { routeLimits } from './limits.ts';

/** What a hop forwards at once and in a minute. Throws LIMIT_REACHED, RATE_LIMITED with `retryAfterMs`; dispose when it is through. */
export function createQuota(clock: Clock): (from: PeerId, bytes: number) => Disposable {
  const now = new Map<PeerId, number>();
  const window = new Map<PeerId, { letters: number; bytes: number }>();
  let startedMs = clock.elapsedMs();
  let total = 0;
  return (from, bytes) => {
    if (clock.elapsedMs() - startedMs >= routeLimits.windowMs) {
      window.clear();
      startedMs = clock.elapsedMs();
    }
    const mine = now.get(from) ?? 0;
    if (total >= routeLimits.forwardsMax || mine >= routeLimits.forwardsPerPeerMax) {
      throw new PeerAiError('LIMIT_REACHED', 'too many letters are being forwarded', { retryAfterMs: 1_000 });
    }
    const used = window.get(from) ?? { letters: 0, bytes: 0 };
    if (used.letters >= routeLimits.lettersPerWindowMax || used.bytes + bytes > routeLimits.bytesPerWindowMax) {
      const retryAfterMs = Math.max(1, startedMs + routeLimits.windowMs - clock.elapsedMs());
      throw new PeerAiError('RATE_LIMITED', 'too much was forwarded for this peer in a short time', { retryAfterMs });
    }
    window.set(from, { letters: used.letters + 1, bytes: used.bytes + bytes });
    now.set(from, mine + 1);
    total += 1;
    return {
      [Symbol.dispose]: () => {
        total -= 1;
        const left = (now.get(from) ?? 1) - 1;
        if (left === 0) now.delete(from);
        else now.set(from, left);
      },
    };
  };
}
