import type { Choice } from './entry.ts';
import type { Decision, OpenProposal, Tally, VoteRules } from './state.ts';

export function tallyOf({ votes, secret }: Pick<OpenProposal, 'votes' | 'secret'>): Tally {
  const all: readonly Choice[] = [...(secret?.cast ?? votes).values()];
  const count = (choice: Choice): number => all.filter((one) => one === choice).length;
  return { yes: count('yes'), no: count('no'), abstain: count('abstain') };
}

/** Voters a decision needs: the smallest count that is at least so many percent of the electors. */
export const quorumOf = ({ quorumPercent }: Pick<VoteRules, 'quorumPercent'>, electors: number): number =>
  Math.ceil((electors * quorumPercent) / 100);

/** Accepted where enough have voted, and more than the majority of yes and no together are yes. */
export function resultOf(rules: VoteRules, electors: number, { yes, no, abstain }: Tally): Decision['result'] {
  if (yes + no + abstain < quorumOf(rules, electors)) return 'no-quorum';
  return yes * 100 > (yes + no) * rules.majorityPercent ? 'accepted' : 'rejected';
}

/** Whether the votes that are missing can't change the result: with all of them no it is accepted, or with all of them yes it is not. */
export function isCertain(rules: VoteRules, electors: number, tally: Tally): boolean {
  const missing = electors - tally.yes - tally.no - tally.abstain;
  if (missing <= 0) return true;
  if (resultOf(rules, electors, { ...tally, abstain: tally.abstain + missing }) === 'no-quorum') return false;
  const isQuorate = tally.yes + tally.no + tally.abstain >= quorumOf(rules, electors);
  const worst = resultOf(rules, electors, { ...tally, no: tally.no + missing });
  const best = resultOf(rules, electors, { ...tally, yes: tally.yes + missing });
  return isQuorate && worst === best;
}
