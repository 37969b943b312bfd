/**
 * Reputation: what a peer did makes its score, line by line; what others say moves it a little; who lies is refused for a while. For peers that
 * choose whom to ask.
 *
 * @packageDocumentation
 */
export { type Deed, deedNames, deeds, isProof } from './deeds.ts';
export { reputationLimits } from './limits.ts';
export { type Opinion, openOpinion, signOpinion } from './opinion.ts';
export { isForgotten, isOver, lifted, type Refusal, refusalFor } from './refusal.ts';
export { directScore, evidence, type Said, type Score, type ScoreLine, scoreOf, trustIn } from './score.ts';
export { afterDeed, noStanding, type ReputationEvent, type Standing, standingOf } from './standing.ts';
