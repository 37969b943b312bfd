import type { TrainingRunView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useTraining } from '../app/queries.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { Offers } from './offers.tsx';
import { RunPane } from './run-pane.tsx';
import { dotOf, kindOf } from './run-state.ts';
import { StartRun } from './start-run.tsx';
import { train as words } from './strings.ts';

export function TrainPage(): ReactNode {
  const runs = useTraining();
  const { id } = useSearch({ from: '/train' });
  const [starting, setStarting] = useState(false);
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button look="primary" onClick={() => setStarting(true)}>
          {words.start}
        </Button>
      </PageHead>
      <Region query={runs} what={words.what}>
        {(list) => (
          <Panes
            chosen={id !== undefined}
            list={
              <div className="stack panes-list">
                <RunList runs={list} />
                <Offers runs={list} />
              </div>
            }
          >
            <Chosen id={id} run={list.find((run) => run.id === id)} />
          </Panes>
        )}
      </Region>
      {starting && <StartRun onClose={() => setStarting(false)} />}
    </>
  );
}

function RunList({ runs }: { readonly runs: readonly TrainingRunView[] }): ReactNode {
  const open = runs.filter(({ endedMs }) => endedMs === null).length;
  return (
    <Card title={words.list} aside={words.open(open)}>
      {runs.length === 0 && <Empty title={words.none} text={words.noneText} />}
      <ul className="rows">
        {runs.map((run) => (
          <PaneLink
            key={run.id}
            to="/train"
            id={run.id}
            icon="train"
            name={run.name}
            sub={`${words.kinds[kindOf(run.terms)]} · ${words.round(run.round, run.terms.rounds)} · ${run.role === 'started' ? words.started : words.by(run.by.name)}`}
            side={<State dot={dotOf(run)}>{words.states[run.state]}</State>}
          />
        ))}
      </ul>
    </Card>
  );
}

function Chosen({
  run,
  id,
}: {
  readonly run: TrainingRunView | undefined;
  readonly id: string | undefined;
}): ReactNode {
  if (run !== undefined) return <RunPane key={run.id} run={run} />;
  return <PaneHint to="/train" back={words.back} text={id === undefined ? words.choose : words.gone} />;
}
