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
  /** Identities remembered. */
  readonly owners: number;
}

/** Token buckets per proven identity and kind: who floods is told when to come back, others are not slowed. */
export function createBuckets(
  clock: Pick<Clock, 'elapsedMs'>,
  ownersMax: number = httpLimits.bucketOwnersMax,
): Buckets {
  const owners = new Map<PeerId, Map<BucketName, TokenBucket>>();
  return {
    get owners() {
      return owners.size;
    },
    take(peer, kind) {
      const name = bucketOf(kind);
      const own = owners.get(peer) ?? new Map<BucketName, TokenBucket>();
      // Heard of last, so forgotten last.
      owners.delete(peer);
      owners.set(peer, own);
      const oldest = owners.size > ownersMax ? owners.keys().next().value : undefined;
      if (oldest !== undefined) owners.delete(oldest);
      const bucket = own.get(name) ?? createTokenBucket(clock, bucketSizes[name]);
      own.set(name, bucket);
      const retryAfterMs = bucket.take();
      if (retryAfterMs > 0)
        throw new PeerAiError('RATE_LIMITED', `too many messages of kind ${name}`, { kind: name, retryAfterMs });
    },
  };
}
