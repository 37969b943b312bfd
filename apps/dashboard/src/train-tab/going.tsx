import type { ReactNode } from 'react';
import { bytes, count, sentence } from '../shared/format.ts';
import { LossChart } from '../training/loss-chart.tsx';
import { run as runWords } from '../training/strings.ts';
import { participants } from '../training/curve.ts';
import { Button } from '../ui/button.tsx';
import { Facts } from '../ui/facts.tsx';
import { Note } from '../ui/note.tsx';
import { UsageBar } from '../ui/people.tsx';
import type { TabController, TabState } from './controller.ts';
import { ShareField } from './share-field.tsx';
import { going as words } from './strings.ts';

/** How the run goes, and what this tab gives. */
export function Going({
  controller,
  state,
}: {
  readonly controller: TabController;
  readonly state: TabState;
}): ReactNode {
  const { run, rounds, phase, invitation } = state;
  const isOpen = phase === 'training';
  return (
    <>
      {!isOpen && (
        <Note kind="ok" title={words.done} live>
          <p>{words.doneText(invitation?.name ?? '')}</p>
        </Note>
      )}
      <section className="card pad stack" aria-label={run?.name ?? words.starting}>
        {run === undefined ? <p role="status">{words.starting}</p> : <Progress run={run} isOpen={isOpen} />}
        <Own state={state} />
        {isOpen && (
          <>
            <ShareField controller={controller} />
            <p className="small muted">{words.stay}</p>
            <div className="row">
              <Button onClick={() => void controller.leave()}>{words.leave}</Button>
            </div>
          </>
        )}
      </section>
      {run !== undefined && (
        <LossChart rounds={rounds} whole={run.terms.rounds} people={participants(run.members, rounds)} />
      )}
    </>
  );
}

function Progress({
  run,
  isOpen,
}: {
  readonly run: NonNullable<TabState['run']>;
  readonly isOpen: boolean;
}): ReactNode {
  const { round, terms, received, needed, message } = run;
  const said = runWords.progress(round, terms.rounds);
  return (
    <>
      <UsageBar used={round} whole={terms.rounds} label={said} />
      <p className="row small" role="status">
        <b>{said}</b>
        {isOpen && <span>{runWords.updates(received, needed)}</span>}
      </p>
      {isOpen && message !== null && (
        <Note kind="warn" title={runWords.waits}>
          <p className="anywhere">{sentence(message)}</p>
        </Note>
      )}
    </>
  );
}

function Own({ state }: { readonly state: TabState }): ReactNode {
  const { run, rounds, busy, engine } = state;
  const counted = rounds.filter(({ members }) => members.some(({ name }) => name === 'you')).length;
  return (
    <Facts
      facts={[
        [words.card, engine === undefined ? null : engine.on === 'webgpu' ? words.cardDoes : words.cardNot],
        [words.processor, words.busy(count(100 * busy))],
        [words.network, words.traffic(bytes(run?.bytesSent ?? 0), bytes(run?.bytesReceived ?? 0))],
        [words.counted, words.countedOf(count(counted), count(rounds.length))],
        [
          words.learns,
          run === undefined
            ? null
            : runWords.examples(run.data.name, count(run.data.examples), count(run.data.heldOut)),
        ],
      ]}
    />
  );
}
