import type { ModelView } from '@peerai/peer/control';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { bytes, count } from '../shared/format.ts';
import { ErrorNote } from '../ui/note.tsx';
import { SaveModel } from './save-model.tsx';
import { models as words } from './strings.ts';

/** One model: what it is, what it needs, and, when it is ours, whether paired devices may use it. */
export function ModelRow({ model, standard }: { readonly model: ModelView; readonly standard: boolean }): ReactNode {
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{model.model}</b>
        {standard && <span className="small quiet">{words.standard}</span>}
        <span className="small muted push">{model.engine}</span>
      </div>
      <p className="small muted">{factsOf(model).join(' · ')}</p>
      {model.description !== '' && <p className="small anywhere">{model.description}</p>}
      {model.local && <Exposed model={model} />}
      {model.local && <SaveModel model={model} />}
    </li>
  );
}

function factsOf(model: ModelView): string[] {
  return [
    model.contextTokensMax > 0 ? words.context(count(model.contextTokensMax)) : '',
    model.memoryBytes > 0 ? bytes(model.memoryBytes) : '',
    model.embeds ? words.embeds : '',
    model.local ? (model.loaded ? words.loaded : words.notLoaded) : '',
    model.fits ? '' : words.tooBig,
  ].filter((fact) => fact !== '');
}

function Exposed({ model }: { readonly model: ModelView }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (exposed: boolean) => client.exposeModel(model.name, exposed),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.models }),
  });
  return (
    <>
      <label className="opt">
        <input
          type="checkbox"
          role="switch"
          aria-label={words.exposedOf(model.model)}
          checked={change.isPending ? change.variables : model.exposed}
          disabled={change.isPending}
          onChange={(event) => change.mutate(event.target.checked)}
        />
        {words.exposed}
      </label>
      {change.isError && <ErrorNote title={words.failed} error={change.error} />}
    </>
  );
}
