import { textFileNames, textFiles } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { bytes } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote } from '../ui/note.tsx';
import { checkReadable } from '../ui/readable-file.ts';
import { codeOf } from './code-of.ts';
import { models } from './strings.ts';

const words = models.own;

interface Chosen {
  readonly name: string;
  readonly file: File;
  /** What makes it a model of words; may be none. */
  readonly texts: readonly File[];
}

/** Hands an ONNX file to the agent, then its tokenizer with what lies beside it. Leaving the page ends it. */
export function ImportModel(): ReactNode {
  const { client } = useApp();
  const cache = useQueryClient();
  const element = useRef<HTMLFormElement>(null);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const [step, setStep] = useState('');
  const bring = useMutation({
    mutationFn: async ({ name, file, texts }: Chosen) => {
      const { signal } = (stop.current = new AbortController());
      await checkReadable(file, limits.modelFileBytesMax);
      const around = await together(texts);
      setStep(words.sending(name, bytes(file.size)));
      const imported = await client.importModel(name, file, signal);
      if (around === undefined) return imported;
      setStep(words.trying(name));
      return client.addTokenizer(name, around, signal);
    },
    onSuccess: () => element.current?.reset(),
    // A tokenizer that was refused leaves the model without it.
    onSettled: () => cache.invalidateQueries({ queryKey: keys.models }),
  });
  return (
    <form
      ref={element}
      className="pad stack over"
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = chosenIn(new FormData(event.currentTarget));
        if (chosen !== undefined) bring.mutate(chosen);
      }}
    >
      <h3>{words.form}</h3>
      <p className="muted">{words.formText}</p>
      <label className="field">
        {words.file}
        <input name="file" type="file" accept=".onnx" required />
      </label>
      <label className="field">
        {words.texts}
        <input name="texts" type="file" accept=".json,.jinja" multiple />
      </label>
      <p className="small muted anywhere">{words.textsText(textFileNames.join(', '))}</p>
      <label className="field">
        {words.name}
        <input name="name" maxLength={limits.modelNameCharsMax} autoComplete="off" autoCapitalize="none" />
      </label>
      <div className="row">
        <Button type="submit" disabled={bring.isPending}>
          {words.act}
        </Button>
        {bring.isPending && <Button onClick={() => stop.current?.abort()}>{words.cancel}</Button>}
      </div>
      <div role="status" className="small anywhere">
        {bring.isPending && <p>{step}</p>}
        {bring.isSuccess && <p>{words.done(bring.data.name)}</p>}
      </div>
      {bring.isError && !PeerAiError.is(bring.error, 'ABORTED') && (
        <ErrorNote title={words.failed(codeOf(bring.error))} error={bring.error} />
      )}
    </form>
  );
}

/** As the form has them: a field of files that is left empty holds one file without a name. */
function chosenIn(form: FormData): Chosen | undefined {
  const files = (field: string): readonly File[] =>
    form.getAll(field).filter((one) => one instanceof File && one.name !== '') as File[];
  const [file] = files('file');
  if (file === undefined) return undefined;
  const said = (form.get('name') as string).trim();
  return { file, texts: files('texts'), name: said === '' ? file.name.replace(/\.onnx$/iu, '') : said };
}

/** In one body, by their names. Throws LIMIT_EXCEEDED, USAGE, MODEL_FILE_MISSING. */
async function together(files: readonly File[]): Promise<Blob | undefined> {
  if (files.length === 0) return undefined;
  const read = files.filter(({ name }) => textFileNames.includes(name));
  for (const file of read) await checkReadable(file, limits.modelTextBytesMax);
  return textFiles(new Map(read.map((file) => [file.name, file])));
}
