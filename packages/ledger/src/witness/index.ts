/**
 * Witnesses: who stands for whose log, how many of them have to, and how anybody proves that a log has two histories. C2SP tlog-cosignature and tlog-witness.
 *
 * @packageDocumentation
 */
export { type Cosigner, cosign, readCosigners, withCosignatures } from './cosignature.ts';
export {
  claimPrefix,
  type Equivocation,
  evidenceIn,
  evidenceOfGrowth,
  evidenceOfSize,
  forked,
  offenceId,
  type PrefixClaim,
  verifyEquivocation,
} from './equivocation.ts';
export { witnessLimits } from './limits.ts';
export { checkPolicy, openWitnessed, verifyWitnessedProof, type Witnessed, type WitnessPolicy } from './policy.ts';
export { type AddCheckpoint, decodeAddCheckpoint, encodeAddCheckpoint } from './request.ts';
export { createWitness, type Witness, type WitnessDeps, type WitnessedHead } from './witness.ts';
