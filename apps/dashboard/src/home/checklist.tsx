import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useLedgerHead } from '../app/queries.ts';
import { useApp } from '../app/context.ts';
import { Button } from '../ui/button.tsx';
import { State, Verdict } from '../ui/icon.tsx';
import { checklist } from './strings.ts';

const storageKey = 'peerai.first-steps';

/** Three steps that tick themselves; gone when they are done or sent away. */
export function Checklist({
  model,
  deviceAdded,
  onAdd,
}: {
  readonly model: string | undefined;
  readonly deviceAdded: boolean;
  readonly onAdd: () => void;
}): ReactNode {
  const { conversation } = useApp();
  const ledger = useLedgerHead();
  const [hidden, setHidden] = useState(() => readHidden());
  const asked =
    conversation.turns.some((turn) => turn.role === 'assistant' && turn.state === 'done') ||
    (ledger.data?.size ?? 0) > 0;
  if (hidden || (model !== undefined && deviceAdded && asked)) return null;
  const hide = (): void => {
    setHidden(true);
    try {
      localStorage.setItem(storageKey, 'hidden');
    } catch {
      // No storage here: hidden until the next visit.
    }
  };
  return (
    <section className="card" aria-labelledby="first-steps">
      <header>
        <h2 id="first-steps">{checklist.title}</h2>
        <Button look="quiet" push onClick={hide}>
          {checklist.hide}
        </Button>
      </header>
      <ol className="pad grid">
        <Step done={model !== undefined} text={model === undefined ? checklist.model : checklist.modelNamed(model)}>
          <Link className="link" to="/models">
            {checklist.see}
          </Link>
        </Step>
        <Step done={deviceAdded} text={checklist.device}>
          <button type="button" className="link" onClick={onAdd}>
            {checklist.add}
          </button>
        </Step>
        <Step done={asked} text={checklist.message}>
          <Link className="link" to="/chat">
            {checklist.ask}
          </Link>
        </Step>
      </ol>
    </section>
  );
}

function Step({
  done,
  text,
  children,
}: {
  readonly done: boolean;
  readonly text: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <li className="row">
      {done ? <Verdict state="ok">{text}</Verdict> : <State dot="offline">{text}</State>}
      <span className="vh">{done ? checklist.done : checklist.open}</span>
      {!done && children}
    </li>
  );
}

function readHidden(): boolean {
  try {
    return localStorage.getItem(storageKey) === 'hidden';
  } catch {
    return false;
  }
}
