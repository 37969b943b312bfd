import { type CryptoProvider, type PeerId, PeerAiError, utf8, wire } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** What all members of one sum agree on before it begins. */
export interface SumTerms {
  /** Never used before: keys and masks are bound to it. */
  readonly run: Uint8Array;
  readonly members: readonly PeerId[];
  /**
   * Members that must stay to the end, more than two thirds of all. An aggregator that lies and colludes with 2 · threshold − members of them (more
   * than a third) can see a single input; one that only listens needs `threshold` of them.
   */
  readonly threshold: number;
  /** Elements of each input. */
  readonly size: number;
}

export interface CheckedTerms extends SumTerms {
  /** SHA-256 over all of them: in every signature and every key, so that nobody is told other terms. */
  readonly hash: Uint8Array;
}

const membersMin = 3;

const termsForm = wire.message({
  run: wire.bytes(1),
  members: wire.repeated(wire.string(2), limits.maskedMembersMax),
  threshold: wire.uint32(3),
  size: wire.uint32(4),
});

/** The smallest threshold that a lying aggregator cannot meet with two different lists of members. */
export const thresholdOf = (members: number): number => Math.floor((2 * members) / 3) + 1;

/** Throws INVALID_OPTION, LIMIT_REACHED. */
export function checkTerms(crypto: CryptoProvider, terms: SumTerms): CheckedTerms {
  const members = [...new Set(terms.members)].toSorted();
  const { length } = members;
  if (length > limits.maskedMembersMax)
    throw new PeerAiError<NnErrorCode>(
      'LIMIT_REACHED',
      `A masked sum has ${limits.maskedMembersMax} members at most.`,
      {
        limit: limits.maskedMembersMax,
        received: length,
      },
    );
  if (length !== terms.members.length || length < membersMin)
    throw invalid('A masked sum needs three different members: with two, each would know the other’s input.');
  if (terms.threshold < thresholdOf(length) || terms.threshold > length)
    throw invalid(`Of ${length} members ${thresholdOf(length)} to ${length} must stay to the end.`);
  if (terms.run.length < 16) throw invalid('The name of a run needs 16 bytes.');
  const checked = { ...terms, members };
  return { ...checked, hash: crypto.sha256(utf8('peerai/masked-sum/1 terms'), termsForm.encode(checked)) };
}

function invalid(text: string): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_OPTION', text);
}
