import type { MemoryFoundView } from '@peerai/peer/control';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { limits } from '../app/limits.ts';
import { useNode } from '../app/queries.ts';
import { count, plural, sentence } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/note.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { CapsuleLink } from './capsule-link.tsx';
import type { Question } from './question.ts';
import { search as words } from './strings.ts';

type Hit = MemoryFoundView['hits'][number];

/** What answers a question, best first. It is asked once: each search counts as a use of what it finds. */
export function Found({ question, onAll }: { readonly question: Question; readonly onAll: () => void }): ReactNode {
  const { client } = useApp();
  const { text, tag, level, everywhere } = question;
  const found = useQuery({
    queryKey: [...keys.memorySearch, question],
    queryFn: ({ signal }) =>
      client.searchMemory(
        {
          text,
          tags: tag === '' ? [] : [tag],
          ...(level === undefined ? {} : { level }),
          limit: limits.memoryHitsShown,
          everywhere,
        },
        signal,
      ),
    staleTime: Infinity,
    gcTime: 0,
  });
  return (
    <Card
      title={words.found}
      aside={
        <Button look="quiet" onClick={onAll}>
          {words.all}
        </Button>
      }
    >
      <Region query={found} what={words.what}>
        {(view) => (
          <>
            <p className="pad small muted" role="status">
              {words.searched(
                view.hits.length === 0 ? words.none : plural(view.hits.length, 'hit'),
                count(view.searched),
              )}
            </p>
            <Doubts view={view} />
            <Hits hits={view.hits} />
            {view.asked !== undefined && <Asked asked={view.asked} />}
          </>
        )}
      </Region>
    </Card>
  );
}

/** Why something may be missing. */
function Doubts({ view: { embedder, leftOutCount } }: { readonly view: MemoryFoundView }): ReactNode {
  if (embedder.problem === undefined && leftOutCount === 0) return null;
  return (
    <div className="pad stack">
      {embedder.problem !== undefined && (
        <Note kind="warn" title={words.problem}>
          <p className="anywhere">{sentence(embedder.problem)}</p>
        </Note>
      )}
      {leftOutCount > 0 && <p className="small muted">{words.leftOut(count(leftOutCount))}</p>}
    </div>
  );
}

function Hits({ hits }: { readonly hits: readonly Hit[] }): ReactNode {
  const self = useNode().data?.peerId;
  return (
    <ul className="rows">
      {hits.map(({ capsule, score, kind, peerId, peerName }) => (
        <CapsuleLink
          key={capsule.id}
          capsule={capsule}
          at={peerId === self ? undefined : { peerId, name: peerName }}
          by={words.kinds[kind]}
          aside={words.score(score.toFixed(2))}
        />
      ))}
    </ul>
  );
}

function Asked({ asked }: { readonly asked: NonNullable<MemoryFoundView['asked']> }): ReactNode {
  return (
    <footer>
      <h3>{words.asked}</h3>
      {asked.length === 0 && <p>{words.nobody}</p>}
      <ul>
        {asked.map(({ peerId, name, hits, problem }) => (
          <li key={peerId} className="anywhere">
            {problem === undefined ? words.answered(name, plural(hits, 'hit')) : words.away(name, problem)}
          </li>
        ))}
      </ul>
    </footer>
  );
}
