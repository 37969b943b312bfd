import type { GovernanceChoice, GovernanceDetail, GovernanceProposalView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { useNow } from '../ui/region.tsx';
import { actionWords, groupKey } from './group.ts';
import { NewProposal } from './new-proposal.tsx';
import { votes as words } from './strings.ts';
import { VoteBar } from './vote-bar.tsx';

export function Proposals({ view }: { readonly view: GovernanceDetail }): ReactNode {
  const [asking, setAsking] = useState(false);
  const mayVote = view.group.state === 'member';
  return (
    <Card
      title={words.title}
      aside={mayVote ? <Button onClick={() => setAsking(true)}>{words.propose}</Button> : undefined}
    >
      {view.proposals.length === 0 && <p className="pad muted">{words.none}</p>}
      <ul className="rows">
        {view.proposals.map((one) => (
          <Proposal key={one.id} view={view} one={one} mayVote={mayVote} />
        ))}
      </ul>
      {asking && <NewProposal view={view} onClose={() => setAsking(false)} />}
    </Card>
  );
}

function Proposal({
  view,
  one,
  mayVote,
}: {
  readonly view: GovernanceDetail;
  readonly one: GovernanceProposalView;
  readonly mayVote: boolean;
}): ReactNode {
  const now = useNow();
  const { yes, no, abstain, electors, quorum, majorityPercent, closesMs } = one;
  const has = yes + no + abstain >= quorum;
  return (
    <li className="pad stack">
      <div className="row">
        <h3 className="anywhere">{one.title}</h3>
        <span className="small quiet push">{closesMs > now ? words.left(span(closesMs - now)) : words.over}</span>
      </div>
      <p className="anywhere">
        {actionWords(one.action, view)} <span className="small muted">{words.by(one.author.name)}</span>
      </p>
      {one.text !== '' && <p className="small written">{one.text}</p>}
      <VoteBar tally={one} />
      <p className="small">{words.count(yes, no, abstain, electors)}</p>
      <p className="small muted">{(has ? words.enough : words.needs)(quorum, majorityPercent)}</p>
      {one.secret && <p className="small muted">{words.secret(one.asked, one.issued)}</p>}
      {one.own === null ? (
        mayVote && closesMs > now && <Vote group={view.group.id} one={one} />
      ) : (
        <p>{words.own[one.own]}</p>
      )}
    </li>
  );
}

function Vote({ group, one }: { readonly group: string; readonly one: GovernanceProposalView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const vote = useMutation({
    mutationFn: (choice: GovernanceChoice) => client.voteOn(group, one.id, choice),
    onSuccess: () => cache.invalidateQueries({ queryKey: groupKey(group) }),
  });
  return (
    <>
      <div className="row">
        {(['yes', 'no', 'abstain'] as const).map((choice) => (
          <Button
            key={choice}
            aria-label={words.choose(words.choices[choice], one.title)}
            disabled={vote.isPending}
            onClick={() => vote.mutate(choice)}
          >
            {words.choices[choice]}
          </Button>
        ))}
      </div>
      {vote.isPending && (
        <p role="status" className="small muted">
          {words.voting}
        </p>
      )}
      {vote.isError && <ErrorNote title={words.failed} error={vote.error} />}
    </>
  );
}
