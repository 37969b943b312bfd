import type { TrainingDataView, TrainingRequest, TrainingRunView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useTraining } from '../app/queries.ts';
import { Choice } from '../ui/choice.tsx';
import { form } from './strings.ts';

export type Kind = TrainingRequest['model']['kind'];

/** A table can be told apart or learned as text; a text only as text, by a new model or by an adapter of one; either by a run that is done here. */
export function ModelFields({
  kind,
  labels,
  data,
  onKind,
}: {
  readonly kind: Kind;
  readonly data: TrainingDataView;
  readonly labels: readonly string[];
  readonly onKind: (kind: Kind) => void;
}): ReactNode {
  const done = useDone(() => true);
  const kinds = [...kindsOf(data, labels), ...(Object.keys(done).length > 0 ? (['run'] as const) : [])];
  return (
    <>
      <div className="pair">
        <label className="field">
          {form.kind}
          <select value={kind} onChange={(event) => onKind(kinds.find((one) => one === event.target.value) ?? kind)}>
            {kinds.map((one) => (
              <option key={one} value={one}>
                {form.kinds[one]}
              </option>
            ))}
          </select>
        </label>
        {kind === 'language' && <Choice label={form.size} name="size" words={form.sizes} />}
        {kind === 'adapter' && <BaseField />}
        {kind === 'run' && <Choice label={form.former} name="run" words={done} />}
        {(kind === 'mlp' || kind === 'conv') && (
          <label className="field">
            {form.label}
            <select name="label" defaultValue={labels.find((name) => /^label$/iu.test(name)) ?? labels.at(-1)}>
              {labels.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {kind === 'adapter' && <p className="small muted">{form.baseHint}</p>}
      {kind === 'run' && <p className="small muted">{form.formerHint}</p>}
    </>
  );
}

/** What can be learned from the data; the likeliest first. */
export function kindsOf({ images, table }: TrainingDataView, labels: readonly string[]): readonly Kind[] {
  const labelled = labels.length > 0 && table !== null;
  const isWide = images !== null && images.channels * images.side ** 2 + 1 !== table?.columns.length;
  return [
    ...(labelled && images !== null ? (['conv'] as const) : []),
    ...(labelled && !isWide ? (['mlp'] as const) : []),
    'language',
    'adapter',
  ];
}

function BaseField(): ReactNode {
  return <Choice label={form.base} name="base" words={{ ...useDone(isBase), nano: 'nano' }} />;
}

/** Runs that left such a model here: names by id. */
function useDone(isSuch: (run: TrainingRunView) => boolean): Readonly<Record<string, string>> {
  const done = (useTraining().data ?? []).filter((run) => run.file !== null && isSuch(run));
  return Object.fromEntries(done.map(({ id, name }) => [id, name]));
}

/** Whether a run left a language model. */
const isBase = ({ plan }: TrainingRunView): boolean => plan.model === 'language' || plan.model === 'adapter';

/** What the fields of a kind say. */
export function readModel(kind: Kind, text: (name: string) => string): TrainingRequest['model'] {
  if (kind === 'mlp') return { kind, label: text('label'), hidden: text('hidden').split(',').map(Number) };
  if (kind === 'conv') return { kind, label: text('label'), filters: text('filters').split(',').map(Number) };
  if (kind === 'adapter') return { kind, base: text('base'), rank: Number(text('rank')) };
  if (kind === 'run') return { kind, run: text('run') };
  return { kind, size: text('size') === 'medium' ? 'medium' : 'small' };
}
