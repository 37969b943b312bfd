/**
 * What a group decides: proposals, votes and what comes of them, as a pure function of the group's decided chain. For peers that govern something together.
 *
 * @packageDocumentation
 */
export { type Action, type ActionType, actionTypes } from './action.ts';
export { type BallotBooth, type BallotKeys, type Blinded, createBallotBooth } from './booth.ts';
export { isConsent, signConsent } from './consent.ts';
export {
  type Ballot,
  type Choice,
  choices,
  decodeStatement,
  encodeStatement,
  governanceKind,
  type Proposal,
  proposalIdOf,
  type Said,
} from './entry.ts';
export { exportEntryProof, isEntryProof, type ProvenByGroup, verifyEntryProof } from './entry-proof.ts';
export { type DecidedBlock, foldBlock, type FoldDeps, type Folded, mayClose, type Outcome } from './fold.ts';
export type { HeadKey, HeadKeys, HeadKeyWord } from './head-key.ts';
export { governanceLimits } from './limits.ts';
export {
  judgeLogHead,
  type LogHead,
  logHeadCodec,
  type LogHeadFault,
  logHeadNote,
  type LogHeads,
  type LogHeadWord,
  signLogHead,
} from './log-heads.ts';
export { initialPolicy, type Policy, policyKeys, type PolicyName, policyNames } from './policy.ts';
export { type PointsSaid, type RewardFacts, rewardOf } from './points.ts';
export { type BallotVerifier, castFromMs, sealBallot, tokenMessage } from './secret.ts';
export {
  type Decision,
  type GovernanceState,
  initialState,
  type OpenProposal,
  type Refusal,
  stateDigest,
  type Tally,
} from './state.ts';
export { quorumOf, tallyOf } from './tally.ts';
export { type GovernanceVerification, verifyGovernance } from './verify.ts';
