import type { SplitView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { State } from '../ui/icon.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { SplitModel } from './split-model.tsx';
import { models } from './strings.ts';

const words = models.split;

/** Models in stages, who holds which, and a form for another. */
export function SplitModels(): ReactNode {
  const { client } = useApp();
  const splits = useQuery({ queryKey: keys.splits, queryFn: ({ signal }) => client.splitModels(signal) });
  const [isMaking, setMaking] = useState(false);
  return (
    <Card title={words.title} aside={words.lead}>
      <Region query={splits} what={words.what}>
        {(list) =>
          list.length > 0 && (
            <ul className="rows">
              {list.map((split) => (
                <Split key={split.name} split={split} />
              ))}
            </ul>
          )
        }
      </Region>
      <div className="pad stack">
        <p className="small muted">{splits.data?.length === 0 ? words.none : words.reads}</p>
        <div className="row">
          <Button onClick={() => setMaking(true)}>{words.open}</Button>
        </div>
      </div>
      {isMaking && <SplitModel onClose={() => setMaking(false)} />}
    </Card>
  );
}

function Split({ split }: { readonly split: SplitView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const end = useMutation({
    mutationFn: () => client.stopSplit(split.name),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.models }),
  });
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{split.name}</b>
        <span className="small muted push">{words.answers(split.answers)}</span>
        <Button look="bad" disabled={end.isPending} aria-label={words.endOf(split.name)} onClick={() => end.mutate()}>
          {words.end}
        </Button>
      </div>
      <ul className="stack" aria-label={split.name}>
        {split.stages.map((stage) => (
          <li key={stage.index} className="small">
            <div className="row">
              <span>{words.stage(stage.index + 1, stage.from, stage.to)}</span>
              <span className="push">
                <State dot={stage.holder === null ? 'offline' : 'direct'}>{heldBy(split, stage)}</State>
              </span>
            </div>
            <p className="muted">{factsOf(stage).join(' · ')}</p>
          </li>
        ))}
      </ul>
      {end.isError && <ErrorNote title={words.failed} error={end.error} />}
    </li>
  );
}

type Stage = SplitView['stages'][number];
function heldBy({ state }: SplitView, { holder }: Stage): string {
  if (holder === null) return state === 'resting' ? words.rests : words.nobody;
  return holder.self ? words.here : words.at(holder.name);
}

function factsOf({ parameters, places, lost }: Stage): readonly string[] {
  return [
    words.weights(count(parameters)),
    words.spares(places.map(({ name }) => name).join(words.next)),
    lost === null ? '' : words.lost(lost.name, lost.code),
  ].filter((fact) => fact !== '');
}
