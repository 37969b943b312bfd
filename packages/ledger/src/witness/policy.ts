import { type CryptoProvider, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { LedgerErrorCode } from '../errors.ts';
import { openCheckpoint, type TreeHead } from '../log/note.ts';
import { decodeProof, type Proven, verifyProof } from '../log/proof-file.ts';
import { type Cosigner, readCosigners } from './cosignature.ts';
import { witnessLimits as limits } from './limits.ts';

/** Whose word counts, and how many of them have to say the same: k of n. */
export interface WitnessPolicy {
  readonly witnesses: readonly PeerId[];
  readonly quorum: number;
}
export interface Witnessed<T> {
  readonly value: T;
  /** All that cosigned, those outside the policy too. */
  readonly cosigners: readonly Cosigner[];
}

/** Throws INVALID_FORMAT for a quorum no set of these witnesses could fill, LIMIT_EXCEEDED. */
export function checkPolicy({ witnesses, quorum }: WitnessPolicy): void {
  if (witnesses.length > limits.policyWitnessesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a policy names at most ${limits.policyWitnessesMax} witnesses`);
  const distinct = new Set(witnesses).size;
  if (!Number.isInteger(quorum) || quorum < 0 || quorum > distinct)
    throw new PeerAiError('INVALID_FORMAT', `${quorum} of ${distinct} witnesses cannot be`);
}

/**
 * `openCheckpoint`, and enough of these witnesses under it. The writer is no witness of itself.
 * What k cosignatures prove: each of these keys saw this head follow every head of this log it had cosigned before. Two histories both get k signatures only
 * when 2k − n witnesses broke that rule.
 * Throws WITNESSES_MISSING, INVALID_SIGNATURE (also for a forged cosignature), INVALID_FORMAT, LIMIT_EXCEEDED.
 */
export function openWitnessed(crypto: CryptoProvider, note: string, policy: WitnessPolicy): Witnessed<TreeHead> {
  checkPolicy(policy);
  const head = openCheckpoint(crypto, note);
  const cosigners = readCosigners(crypto, note).filter(({ witness }) => witness !== head.origin);
  const counted = cosigners.filter(({ witness }) => policy.witnesses.includes(witness)).length;
  if (counted < policy.quorum)
    throw new PeerAiError<LedgerErrorCode>(
      'WITNESSES_MISSING',
      `${counted} of the ${policy.quorum} witnesses that are needed signed this checkpoint`,
      { counted, quorum: policy.quorum },
    );
  return { value: head, cosigners };
}

/** `verifyProof` under a policy. Throws what both throw. */
export function verifyWitnessedProof(
  crypto: CryptoProvider,
  file: Uint8Array,
  entry: Uint8Array,
  policy: WitnessPolicy,
): Witnessed<Proven> {
  const value = verifyProof(crypto, file, entry);
  return { value, cosigners: openWitnessed(crypto, decodeProof(file).note, policy).cosigners };
}
