import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { ThemeButton } from '../app/theme-button.tsx';
import { Button } from '../ui/button.tsx';
import { Icon, Mark } from '../ui/icon.tsx';
import { Note } from '../ui/note.tsx';
import { Consent } from './consent.tsx';
import type { TabController, TabState } from './controller.ts';
import { Going } from './going.tsx';
import { reasonOf } from './refusals.ts';
import { going, tab } from './strings.ts';

/** What a visitor sees: first what is asked, then, after a yes, how it goes. */
export function TrainPage({ controller }: { readonly controller: TabController }): ReactNode {
  const state = useSyncExternalStore(
    (listener) => controller.subscribe(listener),
    () => controller.state,
  );
  const { phase, invitation } = state;
  if (phase === 'left') return <Alone title={going.leftTitle} text={going.leftText(invitation?.name ?? '')} />;
  return (
    <div className="guest">
      <Header state={state} />
      <main>
        <Situation state={state} onRetry={() => void controller.start()} />
        {phase === 'asked' && <Consent controller={controller} state={state} />}
        {(phase === 'training' || phase === 'done') && <Going controller={controller} state={state} />}
      </main>
    </div>
  );
}

/** Shown alone: no link, or the visitor has left. */
export function Alone({ title, text }: { readonly title: string; readonly text: string }): ReactNode {
  return (
    <main className="guest">
      <div className="pad stack">
        <Mark />
        <h1>{title}</h1>
        <p className="muted">{text}</p>
      </div>
    </main>
  );
}

function Header({ state }: { readonly state: TabState }): ReactNode {
  const { invitation, visit } = state;
  const title =
    invitation === undefined || visit === undefined ? tab.titleBefore : tab.title(invitation.name, visit.offer.name);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <header>
      <div className="row">
        <Mark />
        <h1 className="anywhere">{title}</h1>
        <span className="push">
          <ThemeButton />
        </span>
      </div>
      {invitation !== undefined && (
        <p className="lockline">
          <Icon name="lock" small />
          <span>
            {tab.encrypted}{' '}
            <span
              className="emoji"
              role="img"
              aria-label={tab.pictures(invitation.words.join(', '))}
              title={invitation.words.join(', ')}
            >
              {invitation.emoji.join('')}
            </span>{' '}
            {invitation.name}. {tab.same(invitation.name)}
          </span>
        </p>
      )}
    </header>
  );
}

function Situation({ state, onRetry }: { readonly state: TabState; readonly onRetry: () => void }): ReactNode {
  const { phase, invitation, problem } = state;
  const [nowMs] = useState(Date.now);
  if (phase === 'opening') return <p role="status">{tab.opening}</p>;
  if (phase === 'asking') return <p role="status">{tab.asking(invitation?.name ?? '')}</p>;
  if ((phase !== 'lost' && phase !== 'refused') || problem === undefined) return null;
  const { title, text } = reasonOf(problem, invitation, nowMs);
  return (
    <Note kind="warn" icon={phase === 'refused' ? 'x' : 'warn'} title={title} live>
      <p>{text}</p>
      {phase === 'lost' && <Button onClick={onRetry}>{tab.retry}</Button>}
    </Note>
  );
}
