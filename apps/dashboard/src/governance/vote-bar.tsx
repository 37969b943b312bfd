import type { GovernanceProposalView } from '@peerai/peer/control';
import type { ReactNode } from 'react';

const height = 10;

/** One unit for each who may vote: yes, no, abstain from the left, and the mark that the quorum is at. Decoration beside the sentence that says the same. */
export function VoteBar({
  tally: { yes, no, abstain, electors, quorum },
}: {
  readonly tally: Pick<GovernanceProposalView, 'yes' | 'no' | 'abstain' | 'electors' | 'quorum'>;
}): ReactNode {
  return (
    <svg className="votes" viewBox={`0 0 ${electors} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <rect className="votes-all" width={electors} height={height} />
      <rect className="votes-yes" width={yes} height={height} />
      <rect className="votes-no" x={yes} width={no} height={height} />
      <rect className="votes-abstain" x={yes + no} width={abstain} height={height} />
      <line className="votes-quorum" x1={quorum} x2={quorum} y2={height} />
    </svg>
  );
}
