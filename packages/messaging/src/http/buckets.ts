import {
  type BucketSize,
  type Clock,
  createTokenBucket,
  PeerAiError,
  type PeerId,
  type TokenBucket,
} from '@peerai/core-protocol';
import { httpLimits } from './limits.ts';

/** Seed 3's buckets, and one for all other kinds. */
export const bucketSizes = {
  handshake: { burst: 10, perMinute: 5 },
  heartbeat: { burst: 120, perMinute: 60 },
  task: { burst: 60, perMinute: 30 },
  discovery: { burst: 20, perMinute: 10 },
  chunk: { burst: 240, perMinute: 120 },
  other: { burst: 600, perMinute: 600 },
} as const satisfies Record<string, BucketSize>;
type BucketName = keyof typeof bucketSizes;

/** The bucket of a kind: `task_delegate` and `task_progress` share one. */
export function bucketOf(kind: string): BucketName {
  const word = kind.split(/[_.-]/u)[0] ?? '';
  return Object.hasOwn(bucketSizes, word) ? (word as BucketName) : 'other';
}

export interface Buckets {
  /** Takes one token. Throws RATE_LIMITED with `retryAfterMs`. Call it with an identity that was proven, never with a claimed one. */
  take(peer: PeerId, kind: string): void;
  /**
   * Takes nothing, and may be called with a claimed identity: only what was proven empties a bucket. Throws RATE_LIMITED with `retryAfterMs` until the time
   * that the last refusal named, so that who floods costs no check of a signature.
   */
  refuseSpent(peer: PeerId, kind: string): void;
  /** Identities remembered. */
  readonly owners: number;
}

/** Token buckets per proven identity and kind: who floods is told when to come back, others are not slowed. */
export function createBuckets(
  clock: Pick<Clock, 'elapsedMs'>,
  ownersMax: number = httpLimits.bucketOwnersMax,
): Buckets {
  const owners = new Map<PeerId, Map<BucketName, { readonly bucket: TokenBucket; spentUntilMs: number }>>();
  const refusal = (kind: BucketName, retryAfterMs: number): PeerAiError =>
    new PeerAiError('RATE_LIMITED', `too many messages of kind ${kind}`, { kind, retryAfterMs });
  return {
    get owners() {
      return owners.size;
    },
    take(peer, kind) {
      const name = bucketOf(kind);
      const own: NonNullable<ReturnType<typeof owners.get>> = owners.get(peer) ?? new Map();
      // Heard of last, so forgotten last.
      owners.delete(peer);
      owners.set(peer, own);
      const oldest = owners.size > ownersMax ? owners.keys().next().value : undefined;
      if (oldest !== undefined) owners.delete(oldest);
      const one = own.get(name) ?? { bucket: createTokenBucket(clock, bucketSizes[name]), spentUntilMs: 0 };
      own.set(name, one);
      const retryAfterMs = one.bucket.take();
      one.spentUntilMs = clock.elapsedMs() + retryAfterMs;
      if (retryAfterMs > 0) throw refusal(name, retryAfterMs);
    },
    refuseSpent(peer, kind) {
      const name = bucketOf(kind);
      const leftMs = Math.ceil((owners.get(peer)?.get(name)?.spentUntilMs ?? 0) - clock.elapsedMs());
      if (leftMs > 0) throw refusal(name, leftMs);
    },
  };
}
