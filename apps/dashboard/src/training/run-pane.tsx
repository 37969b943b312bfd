import type { HeldOut, TrainingRunView } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { bytes, count, sentence } from '../shared/format.ts';
import { State } from '../ui/icon.tsx';
import { Note } from '../ui/note.tsx';
import { PaneHead } from '../ui/panes.tsx';
import { UsageBar } from '../ui/people.tsx';
import { Region } from '../ui/region.tsx';
import { participants } from './curve.ts';
import { Facts } from '../ui/facts.tsx';
import { LossChart } from './loss-chart.tsx';
import { Members, Refused } from './members.tsx';
import { RunActs } from './run-acts.tsx';
import { RunLinks } from './run-links.tsx';
import { dotOf, lossText, modelText } from './run-state.ts';
import { stageFacts } from './stages.tsx';
import { form, run as words, train } from './strings.ts';

/** One run: how far it is, how well it learns, who takes part. */
export function RunPane({ run }: { readonly run: TrainingRunView }): ReactNode {
  const { client } = useApp();
  const detail = useQuery({
    queryKey: [...keys.training, run.id],
    queryFn: ({ signal }) => client.trainingRun(run.id, signal),
    refetchInterval: run.endedMs === null ? limits.pollLiveMs : false,
  });
  return (
    <>
      <PaneHead to="/train" back={train.back} name={run.name}>
        <span className="push">
          <State dot={dotOf(run)}>{train.states[run.state]}</State>
        </span>
      </PaneHead>
      <section className="card pad stack" aria-label={run.name}>
        <Progress run={run} />
        <Own run={run} />
        <RunActs run={run} />
      </section>
      <RunLinks run={run} />
      <Region query={detail} what={train.what}>
        {({ rounds }) => {
          const inOrder = rounds.toSorted((a, b) => a.round - b.round);
          const people = participants(run.members, inOrder);
          return (
            <>
              <LossChart rounds={inOrder} whole={run.terms.rounds} people={people} stages={run.stages.length} />
              <Refused rounds={inOrder} />
              <Members run={run} rounds={inOrder} people={people} />
            </>
          );
        }}
      </Region>
    </>
  );
}

function Progress({ run }: { readonly run: TrainingRunView }): ReactNode {
  const { round, terms, state, received, needed, coordinator, message, endedMs } = run;
  const isShared = endedMs === null && terms.kind !== 'stages';
  const said = words.progress(round, terms.rounds);
  return (
    <>
      <UsageBar used={round} whole={terms.rounds} label={said} />
      <p className="row small" role="status">
        <b>{said}</b>
        {isShared && <span>{words.updates(received, needed)}</span>}
        {isShared && <span>{coordinator === null ? words.nobody : words.coordinates(coordinator.name)}</span>}
      </p>
      {message !== null && (
        <Note
          kind={state === 'failed' ? 'bad' : 'warn'}
          title={state === 'failed' ? words.failed : state === 'waiting' ? words.waits : words.told}
        >
          <p className="anywhere">{sentence(message)}</p>
        </Note>
      )}
    </>
  );
}

const heldText = (held: HeldOut | null): string | null =>
  held === null
    ? null
    : words.held(lossText(held.loss), held.accuracy === null ? null : (100 * held.accuracy).toFixed(1));

const budgetText = ({ epsilon, epsilonMax, delta, noise }: NonNullable<TrainingRunView['privacy']>): string =>
  words.budget(epsilon.toFixed(2), `${epsilonMax}`, `${noise}`, `${delta}`);

type Terms = TrainingRunView['terms'];
const packingOf = ({ kind, compression }: Terms): string => {
  if (compression !== 'none') return form.packings[compression];
  return kind === 'stages' ? words.exact : words.masked;
};
const guardOf = ({ aggregation }: Terms): string => {
  if (aggregation === 'none') return words.alone;
  return aggregation === 'masked-sum' ? words.sum : form.rules[aggregation];
};

function Own({ run }: { readonly run: TrainingRunView }): ReactNode {
  const { data, terms, threads, hash, file, invited, privacy } = run;
  return (
    <>
      <Facts
        facts={[
          [words.teaches, modelText(run.plan)],
          [words.kind, words.kinds[terms.kind]],
          [words.invited, invited.length === 0 ? null : invited.map(({ name }) => name).join(', ')],
          ...stageFacts(run),
          [words.gives, words.examples(data.name, count(data.examples), count(data.heldOut))],
          [words.first, heldText(run.first)],
          [words.now, heldText(run.now)],
          [words.privacy, privacy === null ? null : budgetText(privacy)],
          [words.traffic, words.sentReceived(bytes(run.bytesSent), bytes(run.bytesReceived))],
        ]}
      />
      <details className="small">
        <summary>{words.details}</summary>
        <Facts
          facts={[
            [words.weights, count(run.parameters)],
            [words.terms, words.termsText(count(terms.localSteps), packingOf(terms), guardOf(terms))],
            [words.base, run.plan.model === 'adapter' ? <code>{run.plan.base.sha256}</code> : null],
            [words.threads, count(threads)],
            [words.hash, hash === null ? null : <code>{hash}</code>],
            [words.file, file === null ? null : <code>{file.path}</code>],
            [words.fileHash, file === null ? null : <code>{file.sha256}</code>],
            [words.id, <code key="id">{run.id}</code>],
          ]}
        />
      </details>
    </>
  );
}
