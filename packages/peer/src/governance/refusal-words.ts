import type { Refusal } from '@peerai/ledger/governance';

/** Why a group's chain took no notice of an entry, in words for who made it. */
const words: Readonly<Record<Refusal, string>> = {
  INVALID_FORMAT: 'it cannot be read',
  INVALID_VERSION: 'it is of a version that the members do not read',
  INVALID_SIGNATURE: 'a signature in it is wrong',
  LIMIT_EXCEEDED: 'a part of it is too long or too large',
  LIMIT_REACHED: 'the group has as many of these as it may',
  UNKNOWN_KIND: 'the members know no such entry',
  NOT_MEMBER: 'it is not for its author to say',
  PROPOSAL_UNKNOWN: 'there is no such proposal',
  PROPOSAL_CLOSED: 'this vote is over',
  NOT_ELECTOR: 'only those who were members when the vote was opened have a part in it',
  VOTED: 'it was said before, and each member says it once',
  TOO_LATE: 'its time is over',
  TOO_EARLY: 'its time has not come',
  WRONG_BALLOT: 'a vote is given as the proposal asks: by name, or by ballot',
  BALLOT_SURPLUS: 'more ballots came than members asked for',
  NO_EFFECT: 'it would change nothing: it is so already, or cannot be as the group is now',
  NO_POINTS: 'its author has fewer points than that',
  REWARDED: 'this was paid for before',
  FORKED: 'it is another history of a log than the chain has',
  ROLLBACK: 'it is of fewer entries of a log than the chain has',
  INCONSISTENT: 'it does not follow from what the chain has of this log',
};

export const refusalText = (refusal: Refusal): string => words[refusal];
