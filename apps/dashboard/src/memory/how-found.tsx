import type { MemoryListView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { count, sentence } from '../shared/format.ts';
import { Note } from '../ui/note.tsx';
import { memory as words, search } from './strings.ts';

/** Which model finds what is remembered, how far it is with reading, and why it is not used. */
export function HowFound({ page }: { readonly page: Pick<MemoryListView, 'count' | 'embedder'> }): ReactNode {
  const { name, kind, left, problem } = page.embedder;
  return (
    <>
      <p className="pad small muted anywhere">
        {kind === 'semantic' ? words.byMeaning(name) : words.byWords}
        {left > 0 && ` ${words.notRead(count(left), count(page.count))}`}
      </p>
      {problem !== undefined && (
        <div className="pad">
          <Note kind="warn" title={search.problem}>
            <p className="anywhere">{sentence(problem)}</p>
          </Note>
        </div>
      )}
    </>
  );
}
