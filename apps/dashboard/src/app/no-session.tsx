import type { ReactNode } from 'react';
import { Command } from '../ui/copy.tsx';
import { Mark } from '../ui/icon.tsx';
import { noSession } from './strings.ts';

/** Shown instead of everything when the page has no key, or one that the agent refuses. */
export function NoSession({ refused }: { readonly refused: boolean }): ReactNode {
  return (
    <main className="alone">
      <div className="card pad stack">
        <Mark />
        <h1>{refused ? noSession.refusedTitle : noSession.title}</h1>
        <p className="muted">{refused ? noSession.refused : noSession.why}</p>
        <Command text={noSession.command} />
      </div>
    </main>
  );
}
