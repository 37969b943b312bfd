import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import type { IncentivePolicy } from './policy.ts';

/** Micro-credits from one peer to another: what one gets another pays. */
export interface Payment {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly micro: bigint;
  readonly reason: 'capsule' | 'borrowing' | 'bonus';
}
/** Something that happened and is paid for. Shares are between 0 and 1. */
export type Occasion =
  | {
      readonly type: 'capsule';
      readonly author: PeerId;
      /** Takes the capsule over, and pays. */
      readonly taker: PeerId;
      readonly quality: number;
      readonly novelty: number;
    }
  | {
      readonly type: 'borrowing';
      readonly lender: PeerId;
      readonly borrower: PeerId;
      readonly nodes: number;
      readonly heldMs: number;
      /** How well the borrowed nodes did; absent where nobody measured it. */
      readonly performance?: number;
    };

const msPerHour = 3_600_000n;
/** Shares are taken to a millionth: the same on every machine. */
const millionths = 1_000_000n;

/**
 * Who pays whom what. Nobody pays himself, so an occasion with one peer on both sides earns nothing. Throws INVALID_FORMAT for a share outside 0 to 1 or a
 * count that is no whole number.
 */
export function paymentsFor(policy: IncentivePolicy, occasion: Occasion): readonly Payment[] {
  return dues(policy, occasion).filter(({ from, to, micro }) => from !== to && micro > 0n);
}

/** Of a capsule, as the seed has it: half, a fifth for news above 0.7, a fifth for weight above 0.8, a tenth for more than three tags. */
export function capsuleQuality({
  novelty,
  importance,
  tags,
}: {
  readonly novelty: number;
  readonly importance: number;
  readonly tags: number;
}): number {
  const tenths = 5 + (novelty > 0.7 ? 2 : 0) + (importance > 0.8 ? 2 : 0) + (tags > 3 ? 1 : 0);
  return tenths / 10;
}

function dues(policy: IncentivePolicy, occasion: Occasion): readonly Payment[] {
  if (occasion.type === 'capsule') {
    const { author, taker, quality, novelty } = occasion;
    const both = millionthsOf('quality', quality) * millionthsOf('novelty', novelty);
    const micro = (policy.capsuleBaseMicro * both) / (millionths * millionths);
    return [{ from: taker, to: author, micro, reason: 'capsule' }];
  }
  const { lender, borrower, nodes, heldMs, performance } = occasion;
  const hours = policy.nodeHourMicro * wholeOf('nodes', nodes) * wholeOf('heldMs', heldMs);
  const price = (hours + msPerHour - 1n) / msPerHour;
  const paid: Payment = { from: borrower, to: lender, micro: price, reason: 'borrowing' };
  if (performance === undefined) return [paid];
  const isGood = millionthsOf('performance', performance) > BigInt(policy.bonusAbovePermille) * 1_000n;
  const bonus = isGood ? (price * BigInt(policy.bonusPermille)) / 1_000n : 0n;
  return [paid, { from: lender, to: borrower, micro: bonus, reason: 'bonus' }];
}

function millionthsOf(name: string, share: number): bigint {
  if (!(share >= 0 && share <= 1)) throw notThat(`${name} is a share between 0 and 1`);
  return BigInt(Math.round(share * Number(millionths)));
}
function wholeOf(name: string, count: number): bigint {
  if (!Number.isSafeInteger(count) || count < 0) throw notThat(`${name} is a whole number, 0 or more`);
  return BigInt(count);
}
const notThat = (message: string): PeerAiError<LedgerErrorCode> => new PeerAiError('INVALID_FORMAT', message);
