import type { ReputationsView, ReputationView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useReputations } from '../app/queries.ts';
import { span } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State, Verdict } from '../ui/icon.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { UsageBar } from '../ui/people.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { reputation as words } from './strings.ts';

export function ReputationPage(): ReactNode {
  const view = useReputations();
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Region query={view} what={words.what}>
        {(all) => <Everybody view={all} />}
      </Region>
    </>
  );
}

function Everybody({
  view: { peers, strangerScore, refuseBelow, admissionMin },
}: {
  readonly view: ReputationsView;
}): ReactNode {
  if (peers.length === 0) {
    return (
      <Card title={words.title}>
        <Empty title={words.none} text={words.noneText} />
      </Card>
    );
  }
  return (
    <>
      {peers.map((peer) => peer.refused !== null && <Refused key={peer.peerId} peer={peer} refused={peer.refused} />)}
      <div className="grid">
        {peers.map((peer) => (
          <Name key={peer.peerId} peer={peer} isLow={peer.score < admissionMin} />
        ))}
      </div>
      <p className="small muted">{words.how(two(strangerScore), two(admissionMin), two(refuseBelow))}</p>
    </>
  );
}

function Refused({
  peer: { peerId, name },
  refused: { untilMs, text, strikes },
}: {
  readonly peer: ReputationView;
  readonly refused: NonNullable<ReputationView['refused']>;
}): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const now = useNow(1_000);
  const letIn = useMutation({
    mutationFn: () => client.letIn(peerId),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.reputations }),
  });
  return (
    <Note
      kind="warn"
      title={words.refused(name)}
      side={
        <Button aria-label={words.unblockName(name)} disabled={letIn.isPending} onClick={() => letIn.mutate()}>
          {words.unblock}
        </Button>
      }
    >
      <p>{words.for(text)}</p>
      <p>{words.left(span(untilMs - now))}</p>
      <p>{strikes > 1 ? words.again(strikes) : words.first}</p>
      {letIn.isError && <ErrorNote title={words.failed} error={letIn.error} />}
    </Note>
  );
}

/** The score and what it is made of; the lines sum to it. */
function Name({ peer, isLow }: { readonly peer: ReputationView; readonly isLow: boolean }): ReactNode {
  const { name, score, lines } = peer;
  return (
    <Card title={name} aside={<Standing peer={peer} isLow={isLow} />}>
      <div className={isLow ? 'pad stack low' : 'pad stack'}>
        <strong>{words.score(two(score))}</strong>
        <UsageBar used={score} whole={1} label={`${name}: ${words.score(two(score))}`} />
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col" className="num">
              {words.head[0]}
            </th>
            <th scope="col">{words.head[1]}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ reason, text, contribution }) => (
            <tr key={`${reason} ${text}`}>
              <td className="num nowrap">{signed(contribution)}</td>
              <td className="anywhere">{text}</td>
            </tr>
          ))}
          <tr>
            <td className="num nowrap">
              <strong>{score.toFixed(3)}</strong>
            </td>
            <td>{words.sum}</td>
          </tr>
        </tbody>
      </table>
    </Card>
  );
}

/** What its score costs it, where it costs anything. */
function Standing({
  peer: { refused, paired },
  isLow,
}: {
  readonly peer: ReputationView;
  readonly isLow: boolean;
}): ReactNode {
  if (refused !== null) return <State dot="blocked">{words.isRefused}</State>;
  if (isLow) return <Verdict state="look">{words.isLow}</Verdict>;
  return paired ? null : words.stranger;
}

const two = (score: number): string => score.toFixed(2);
const signed = (contribution: number): string => `${contribution < 0 ? '−' : '+'}${Math.abs(contribution).toFixed(3)}`;
