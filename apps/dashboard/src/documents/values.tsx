import { useState, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Sure } from '../ui/sure.tsx';
import { values as words } from './strings.ts';
import { useWrite } from './use-document.ts';
import { keysWith, kindOf, written } from './value.ts';
import { NewKey, ValueForm } from './value-form.tsx';

type Contents = Readonly<Record<string, unknown>>;

/** Keys and their values: each can be written and removed in its row. */
export function Values({ id, values }: { readonly id: string; readonly values: Contents }): ReactNode {
  const [part, setPart] = useState('');
  const [editing, setEditing] = useState<string>();
  const found = keysWith(values, part);
  const shown = found.slice(0, limits.documentRowsMax);
  // Who edits a key keeps the row, also when somebody removes the key meanwhile.
  const rows = editing === undefined || shown.includes(editing) ? shown : [editing, ...shown];
  const all = Object.keys(values).length;
  return (
    <>
      {all > limits.findFrom && (
        <div className="pad">
          <label className="field">
            {words.find}
            <input type="search" value={part} autoComplete="off" onChange={(event) => setPart(event.target.value)} />
          </label>
        </div>
      )}
      {all === 0 && <p className="pad muted">{words.none}</p>}
      {all > 0 && rows.length === 0 && <p className="pad muted">{words.noMatch}</p>}
      <ul className="rows">
        {rows.map((key) =>
          key === editing ? (
            <li key={key} className="pad">
              <ValueForm id={id} name={key} values={values} onClose={() => setEditing(undefined)} />
            </li>
          ) : (
            <Row key={key} id={id} name={key} value={values[key]} onEdit={() => setEditing(key)} />
          ),
        )}
      </ul>
      {shown.length < found.length && (
        <p className="pad small muted">{words.shown(count(shown.length), count(found.length))}</p>
      )}
      <NewKey id={id} values={values} />
    </>
  );
}

function Row({
  id,
  name,
  value,
  onEdit,
}: {
  readonly id: string;
  readonly name: string;
  readonly value: unknown;
  readonly onEdit: () => void;
}): ReactNode {
  const [sure, setSure] = useState(false);
  const remove = useWrite(id);
  const text = written(value);
  return (
    <li className="value">
      <b className="anywhere">{name}</b>
      <p className={typeof value === 'string' ? 'written' : 'written mono'}>
        {text.length > limits.valueCharsShown ? `${text.slice(0, limits.valueCharsShown)}…` : text}
        {typeof value !== 'string' && <small className="quiet"> {kindOf(value)}</small>}
      </p>
      <div className="value-acts">
        <Button look="quiet" aria-label={words.editOf(name)} onClick={onEdit}>
          {words.edit}
        </Button>
        <Button look="quiet" aria-label={words.removeOf(name)} onClick={() => setSure(true)}>
          {words.remove}
        </Button>
      </div>
      {sure && (
        <Sure
          title={words.removeSure(name)}
          act={words.removeNow(name)}
          doing={remove}
          onAct={() => remove.mutate({ remove: [name] })}
          onKeep={() => setSure(false)}
        />
      )}
    </li>
  );
}
