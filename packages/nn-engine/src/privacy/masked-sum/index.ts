export { type FixedPoint, fromFixedPoint, toFixedPoint } from './fixed-point.ts';
export { createSumMember, type SumMember } from './member.ts';
export { type SumTerms, thresholdOf } from './terms.ts';
export { maskedTotal, type SumParts } from './total.ts';
