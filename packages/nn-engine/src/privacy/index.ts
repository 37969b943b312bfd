/**
 * Differential privacy for shared training: clipped, noisy updates, an accountant, and a budget that refuses when it is spent. And sums whose
 * addends nobody sees.
 *
 * @packageDocumentation
 */
export { type Conversion, type NoisySteps, privacyLoss, type PrivacyLoss } from './accountant.ts';
export { type BudgetState, type BudgetTerms, openPrivacyBudget, type PrivacyBudget } from './budget.ts';
export * from './masked-sum/index.ts';
export { clipAndAddNoise } from './noise.ts';
