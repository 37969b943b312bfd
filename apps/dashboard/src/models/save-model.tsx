import type { ExportFormat, ModelView } from '@peerai/peer/control';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { saveAs } from '../shared/save.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { models as words } from './strings.ts';

/** Forms of the models whose weights this peer has, by engine. */
const forms: Readonly<Record<string, readonly ExportFormat[]>> = {
  nano: ['onnx', 'gguf'],
  trained: ['onnx', 'gguf', 'tokenizer'],
  onnx: ['onnx', 'tokenizer'],
};
const endings: Readonly<Record<ExportFormat, string>> = {
  onnx: '.onnx',
  gguf: '.gguf',
  'gguf-q8': '.q8_0.gguf',
  tokenizer: '.tokenizer.json',
};

/** The model as a file for other programs. */
export function SaveModel({ model }: { readonly model: ModelView }): ReactNode {
  const { client } = useApp();
  const save = useMutation({
    mutationFn: async (form: ExportFormat) =>
      saveAs(await (await client.exportModel(model.name, form)).blob(), `${model.model}${endings[form]}`),
  });
  const own = forms[model.engine] ?? [];
  if (own.length === 0) return null;
  return (
    <>
      <div className="row" role="group" aria-label={words.saveOf(model.model)}>
        {own.map((form) => (
          <Button key={form} disabled={save.isPending} onClick={() => save.mutate(form)}>
            {words.save(endings[form])}
          </Button>
        ))}
      </div>
      {save.isError && <ErrorNote title={words.saveFailed} error={save.error} />}
    </>
  );
}
