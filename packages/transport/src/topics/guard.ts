import type { GossipSub } from '@libp2p/gossipsub';
import { createTopicScoreParams, type PeerScore } from '@libp2p/gossipsub/score';
import { type Clock, createTokenBucket, type PeerId, type TokenBucket } from '@peerai/core-protocol';
import { transportError } from '../errors.ts';
import { limits as sizes } from '../limits.ts';
import { topicLimits as limits } from './limits.ts';

export interface TopicCounts {
  readonly accepted: number;
  /** Neither forwarded nor held against anybody. */
  readonly ignored: number;
  /** Not forwarded, and held against the neighbour that brought them. */
  readonly rejected: number;
}
type Verdict = 'accept' | 'ignore' | 'reject';

/** Holds back who says too much, and lets gossip score the neighbours of each topic. */
export interface TopicGuard {
  /** Scores a topic from now on; safe to call again. */
  score(topic: string): void;
  /** Before any judge: `accept` leaves it to them. `via` handed it to us, `from` wrote it. */
  judge(topic: string, from: PeerId, via: PeerId): Verdict;
  /** What came of it. */
  count(topic: string, verdict: Verdict): void;
  counts(topic: string): TopicCounts;
  /** Gossip's score of a neighbour; below zero it loses its place in the mesh, below -80 nothing of it is heard. */
  scoreOf(peer: string): number;
  /** One message of our own. Throws LIMIT_REACHED. */
  publish(topic: string): void;
  /** Whether a subscriber has so much waiting that its oldest message goes before another one comes. */
  readonly isFull: (waiting: readonly Uint8Array[]) => boolean;
}
export type MakeTopicGuard = (pubsub: GossipSub, clock: Clock) => TopicGuard;

/**
 * What is good is worth 8 points at most, so that five invalid messages (-4 × count²) put any neighbour below -80; they are forgotten at 4 % a second, which is
 * half in 17 s. How many messages a neighbour brings first is no reason to prune it: a topic may be quiet for days.
 */
const scoring = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.05,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 100,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: -4,
  invalidMessageDeliveriesDecay: 0.96,
});
/** What gossipsub has and its public type does not name. */
interface Scored {
  readonly score: PeerScore;
}

export const createTopicGuard: MakeTopicGuard = (pubsub, clock) => {
  const { score } = pubsub as unknown as Scored;
  const authors = new Map<string, { readonly rate: TokenBucket; readonly over: TokenBucket }>();
  const own = new Map<string, TokenBucket>();
  const counted = new Map<string, { accepted: number; ignored: number; rejected: number }>();
  const bucket = (burst: number, perSecond: number): TokenBucket =>
    createTokenBucket(clock, { burst, perMinute: perSecond * 60 });
  const countsOf = (topic: string): { accepted: number; ignored: number; rejected: number } => {
    const known = counted.get(topic) ?? { accepted: 0, ignored: 0, rejected: 0 };
    counted.set(topic, known);
    forgetOldest(counted);
    return known;
  };
  return {
    score: (topic) => {
      score.params.topics[topic] = scoring;
    },
    judge: (topic, from, via) => {
      const key = `${from} ${topic}`;
      const { rate, over } = authors.get(key) ?? {
        rate: bucket(limits.topicBurstTaken, limits.topicPerSecondTaken),
        over: bucket(limits.topicOverMax, 1),
      };
      // Who spoke last is forgotten last.
      authors.delete(key);
      authors.set(key, { rate, over });
      forgetOldest(authors);
      if (rate.take() === 0) return 'accept';
      // A neighbour that only hands on may not know that its author said too much elsewhere.
      return over.take() > 0 && from === via ? 'reject' : 'ignore';
    },
    count: (topic, verdict) => {
      const counts = countsOf(topic);
      if (verdict === 'accept') counts.accepted += 1;
      else if (verdict === 'ignore') counts.ignored += 1;
      else counts.rejected += 1;
    },
    counts: (topic) => ({ ...countsOf(topic) }),
    scoreOf: (peer) => score.score(peer),
    isFull,
    publish: (topic) => {
      const mine = own.get(topic) ?? bucket(limits.topicBurst, limits.topicPerSecond);
      own.delete(topic);
      own.set(topic, mine);
      forgetOldest(own);
      const waitMs = mine.take();
      if (waitMs === 0) return;
      throw transportError('LIMIT_REACHED', `at most ${limits.topicPerSecond} messages a second on one topic`, {
        retryAfterMs: waitMs,
      });
    },
  };
};

function isFull(waiting: readonly Uint8Array[]): boolean {
  if (waiting.length >= limits.topicWaitingMax) return true;
  // So few are below the bytes whatever their lengths: the sum is for floods.
  if (waiting.length * sizes.topicMessageBytesMax < limits.topicWaitingBytesMax) return false;
  return waiting.reduce((sum, { length }) => sum + length, 0) >= limits.topicWaitingBytesMax;
}

function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > limits.topicRatesMax && oldest !== undefined) map.delete(oldest);
}
