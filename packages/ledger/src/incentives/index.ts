/**
 * Incentives: what is paid for, as a policy that a group can vote on, and who pays whom by it. For groups that want to reward more than what a lease says.
 *
 * @packageDocumentation
 */
export { type IncentivePolicy, incentivePolicy, incentiveValues, seedIncentives } from './policy.ts';
export { capsuleQuality, type Occasion, type Payment, paymentsFor } from './reward.ts';
