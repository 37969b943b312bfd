import { type Rules, simplexRules } from '@peerai/ledger/agreement/parts';
import { faultsOf } from '@peerai/ledger/agreement';

/**
 * Bugs to plant, to see that they are caught: certificates of 2f votes, votes that are sent before they are on disk, members that pass over a block
 * that may be decided, certificates that nobody checks, votes of peers that are no members, members that hand on what they did not check, or nothing.
 */
export const agreementMutants = [
  'quorum-2f',
  'skips-fsync',
  'forgets-lock',
  'unchecked-certificate',
  'accepts-strangers',
  'carries-unchecked',
  'never-carries',
] as const;
export type AgreementMutant = (typeof agreementMutants)[number];

export const rulesOf = (mutant: AgreementMutant | undefined): Rules => ({ ...simplexRules, ...changes(mutant) });

function changes(mutant: AgreementMutant | undefined): Partial<Rules> {
  switch (mutant) {
    case 'quorum-2f':
      return { quorumOf: (count) => 2 * faultsOf(count) };
    case 'forgets-lock':
      return { maySay: ({ nullify }, next) => next !== 'nullify' || !nullify, isJustified: () => true };
    case 'unchecked-certificate':
      return { isCertified: () => true };
    case 'accepts-strangers':
      return { isMember: () => true };
    case 'carries-unchecked':
      return { mayCarry: (learned) => learned !== 'old' };
    case 'never-carries':
      return { mayCarry: () => false };
    case 'skips-fsync':
    case undefined:
      return {};
  }
}
