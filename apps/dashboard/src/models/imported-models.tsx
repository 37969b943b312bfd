import type { ImportedModelView } from '@peerai/peer/control';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { ago, bytes, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { ImportModel } from './import-model.tsx';
import { models } from './strings.ts';

const words = models.own;

/** Model files that were brought here, also those that take no words, and the form that brings another. */
export function ImportedModels(): ReactNode {
  const { client } = useApp();
  const imported = useQuery({ queryKey: keys.imported, queryFn: ({ signal }) => client.importedModels(signal) });
  const nowMs = useNow(5_000);
  return (
    <Card title={words.title} aside={words.lead}>
      <Region query={imported} what={words.what}>
        {(list) =>
          list.length > 0 && (
            <ul className="rows" aria-label={words.title}>
              {list.map((model) => (
                <Imported key={model.name} model={model} nowMs={nowMs} />
              ))}
            </ul>
          )
        }
      </Region>
      <ImportModel />
    </Card>
  );
}

function Imported({ model, nowMs }: { readonly model: ImportedModelView; readonly nowMs: number }): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const { name, inputs, outputs } = model;
  const remove = useMutation({
    mutationFn: () => client.removeModel(name),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.models }),
  });
  const sizes = [plural(inputs.length, 'input'), plural(outputs.length, 'output')] as const;
  return (
    <li className="pad stack">
      <div className="row">
        <b className="anywhere">{name}</b>
        <Button
          push
          look="bad"
          disabled={remove.isPending}
          aria-label={words.removeOf(name)}
          onClick={() => remove.mutate()}
        >
          {words.remove}
        </Button>
      </div>
      <p className="small">{doesOf(model)}</p>
      <p className="small muted">{words.facts(bytes(model.bytes), ...sizes, ago(model.importedMs, nowMs))}</p>
      {remove.isError && <ErrorNote title={words.notRemoved} error={remove.error} />}
    </li>
  );
}

function doesOf({ language, embedding, texts }: ImportedModelView): string {
  if (language !== undefined) return words.chats(count(language.contextTokens));
  if (embedding !== undefined) return words.embeds(count(embedding.dimensions));
  return texts === undefined ? words.tensors : words.wordless;
}
