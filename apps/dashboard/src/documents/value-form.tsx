import { useRef, useState, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { values as words } from './strings.ts';
import { useWrite } from './use-document.ts';
import { type As, asOf, readValue, written } from './value.ts';

type Contents = Readonly<Record<string, unknown>>;

/** A value being written. When it changes elsewhere meanwhile, that is said: nobody's change is lost unseen. */
export function ValueForm({
  id,
  name,
  values,
  onClose,
}: {
  readonly id: string;
  readonly name: string;
  readonly values: Contents;
  readonly onClose: () => void;
}): ReactNode {
  const [base, setBase] = useState(values[name]);
  const [text, setText] = useState(() => written(base));
  const [as, setAs] = useState(() => asOf(base));
  const write = useWrite(id);
  const there = Object.hasOwn(values, name);
  const changed = !there || written(values[name]) !== written(base);
  const value = readValue(text, as);
  const takeTheirs = (): void => {
    if (!there) return onClose();
    setBase(values[name]);
    setText(written(values[name]));
    setAs(asOf(values[name]));
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== undefined) write.mutate({ set: { [name]: value } }, { onSuccess: onClose });
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <b className="anywhere">{name}</b>
      <ValueFields text={text} as={as} onText={setText} onAs={setAs} autoFocus />
      {changed && (
        <Note kind="warn" title={words.changed} live>
          <p className="anywhere">{there ? words.changedTo(written(values[name])) : words.gone}</p>
          <Button onClick={takeTheirs}>{words.theirs}</Button>
        </Note>
      )}
      <div className="row">
        <Button look="primary" type="submit" disabled={write.isPending || value === undefined}>
          {write.isPending ? words.saving : words.save}
        </Button>
        <Button onClick={onClose}>{words.cancel}</Button>
      </div>
      {write.isError && <ErrorNote title={words.failed} error={write.error} />}
    </form>
  );
}

function ValueFields({
  text,
  as,
  onText,
  onAs,
  autoFocus = false,
}: {
  readonly text: string;
  readonly as: As;
  readonly onText: (text: string) => void;
  readonly onAs: (as: As) => void;
  readonly autoFocus?: boolean;
}): ReactNode {
  const wrong = as === 'json' && text !== '' && readValue(text, as) === undefined;
  return (
    <>
      <label className="field">
        {words.value}
        <textarea
          rows={2}
          className={as === 'json' ? 'mono' : ''}
          value={text}
          autoFocus={autoFocus}
          aria-invalid={wrong}
          onChange={(event) => onText(event.target.value)}
        />
        {wrong && <small role="alert">{words.notJson}</small>}
      </label>
      <label className="field">
        {words.as}
        <select value={as} onChange={(event) => onAs(event.target.value as As)}>
          <option value="text">{words.asText}</option>
          <option value="json">{words.asJson}</option>
        </select>
      </label>
    </>
  );
}

/** One more key. */
export function NewKey({ id, values }: { readonly id: string; readonly values: Contents }): ReactNode {
  const [key, setKey] = useState('');
  const [text, setText] = useState('');
  const [as, setAs] = useState<As>('text');
  const first = useRef<HTMLInputElement>(null);
  const write = useWrite(id);
  const taken = Object.hasOwn(values, key.trim());
  const value = readValue(text, as);
  const add = (): void =>
    write.mutate(
      { set: { [key.trim()]: value } },
      {
        onSuccess: () => {
          setKey('');
          setText('');
          first.current?.focus();
        },
      },
    );
  return (
    <details className="pad over" open={Object.keys(values).length === 0 ? true : undefined}>
      <summary>{words.add}</summary>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <label className="field">
          {words.key}
          <input
            ref={first}
            value={key}
            required
            maxLength={256}
            autoComplete="off"
            aria-invalid={taken}
            onChange={(event) => setKey(event.target.value)}
          />
          {taken && !write.isPending && <small role="alert">{words.taken}</small>}
        </label>
        <ValueFields text={text} as={as} onText={setText} onAs={setAs} />
        <Button
          look="primary"
          type="submit"
          disabled={write.isPending || taken || key.trim() === '' || value === undefined}
        >
          {write.isPending ? words.saving : words.addNow}
        </Button>
        {write.isError && <ErrorNote title={words.failed} error={write.error} />}
      </form>
    </details>
  );
}
