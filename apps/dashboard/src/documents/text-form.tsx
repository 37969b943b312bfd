import { useState, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { text as words, values } from './strings.ts';
import { useWrite } from './use-document.ts';

/** The one text of a document. What others write shows at once, unless something here is not saved yet: then it is said. */
export function TextForm({ id, text }: { readonly id: string; readonly text: string }): ReactNode {
  const [mine, setMine] = useState<{ readonly base: string; readonly text: string }>();
  const write = useWrite(id);
  const shown = mine?.text ?? text;
  const dirty = mine !== undefined && mine.text !== mine.base;
  const changed = dirty && mine.base !== text;
  const save = (): void => write.mutate({ text: shown }, { onSuccess: () => setMine(undefined) });
  return (
    <form
      className="pad stack"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        rows={8}
        aria-label={words.label}
        placeholder={words.none}
        maxLength={limits.documentTextCharsMax}
        value={shown}
        onChange={(event) => setMine({ base: mine?.base ?? text, text: event.target.value })}
      />
      {changed && (
        <Note kind="warn" title={words.changed} live>
          <p>{words.changedText}</p>
          <Button onClick={() => setMine(undefined)}>{words.theirs}</Button>
        </Note>
      )}
      <div className="row">
        <Button look="primary" type="submit" disabled={!dirty || write.isPending}>
          {write.isPending ? values.saving : words.save}
        </Button>
        <p role="status" className="small muted">
          {dirty ? words.unsaved : write.isSuccess ? words.saved : ''}
        </p>
        <p className="small quiet push">{words.chars(count(shown.length), count(limits.documentTextCharsMax))}</p>
      </div>
      {write.isError && <ErrorNote title={values.failed} error={write.error} />}
    </form>
  );
}
