import { PeerAiError } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';

/** What a group pays for, as a map of names to values that it can vote on. Amounts are millionths of a point of the group, shares are in thousandths: no fractions, so all compute the same. */
export interface IncentivePolicy {
  /** A capsule that is taken over earns base × quality × novelty, paid by who takes it. */
  readonly capsuleBaseMicro: bigint;
  /** What a node costs for an hour, paid by its borrower. */
  readonly nodeHourMicro: bigint;
  /** Who borrowed and did well gets this share of the price back, paid by the lender that the work was good for. */
  readonly bonusPermille: number;
  /** How well that is: strictly above. */
  readonly bonusAbovePermille: number;
}

/** The rules that peers of the fourth seed had: borrowing for half a credit an hour, a tenth back above 0.8; a capsule's base is one credit. */
export const seedIncentives: IncentivePolicy = {
  capsuleBaseMicro: 1_000_000n,
  nodeHourMicro: 500_000n,
  bonusPermille: 100,
  bonusAbovePermille: 800,
};

/** A thousand credits: as the highest price of a node and an hour. */
const amountMicroMax = 1_000_000_000n;
const permilleMax = 1_000;
const names = {
  capsuleBaseMicro: 'incentives.capsule_base_micro',
  nodeHourMicro: 'incentives.node_hour_micro',
  bonusPermille: 'incentives.bonus_permille',
  bonusAbovePermille: 'incentives.bonus_above_permille',
} as const;

/** The policy as names and decimal values: what a file holds and a group votes on. */
export function incentiveValues(policy: IncentivePolicy): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (Object.keys(names) as (keyof IncentivePolicy)[]).map((field) => [names[field], `${policy[field]}`]),
  );
}

/**
 * A policy from names and values; the seed's where a name is missing, and other names are not its business. Throws INVALID_FORMAT for what is no whole number,
 * LIMIT_EXCEEDED.
 */
export function incentivePolicy(values: Readonly<Record<string, unknown>>): IncentivePolicy {
  const whole = (field: keyof IncentivePolicy, most: bigint): bigint => {
    const value = Object.hasOwn(values, names[field]) ? values[names[field]] : seedIncentives[field];
    const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? `${value}` : '';
    if (!/^\d{1,15}$/u.test(text))
      throw new PeerAiError<LedgerErrorCode>('INVALID_FORMAT', `${names[field]} is a whole number, 0 or more`);
    const number = BigInt(text);
    if (number > most) throw new PeerAiError<LedgerErrorCode>('LIMIT_EXCEEDED', `${names[field]} is at most ${most}`);
    return number;
  };
  return {
    capsuleBaseMicro: whole('capsuleBaseMicro', amountMicroMax),
    nodeHourMicro: whole('nodeHourMicro', amountMicroMax),
    bonusPermille: Number(whole('bonusPermille', BigInt(permilleMax))),
    bonusAbovePermille: Number(whole('bonusAbovePermille', BigInt(permilleMax))),
  };
}
