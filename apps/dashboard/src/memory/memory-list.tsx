import type { KeptCapsuleView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useMemories } from '../app/queries.ts';
import { bytes, clockTime, count, plural } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNote, Note } from '../ui/note.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { CapsuleLink } from './capsule-link.tsx';
import type { Question } from './question.ts';
import { memory as words } from './strings.ts';
import { HowFound } from './how-found.tsx';
import { Waiting } from './waiting.tsx';

/** Everything that is remembered, or what has the tag and the level; the newest first, a page at a time. */
export function MemoryList({ question: { tag, level } }: { readonly question: Question }): ReactNode {
  const query = useMemories({ ...(tag === '' ? {} : { tag }), ...(level === undefined ? {} : { level }) });
  const first = query.data?.pages[0];
  return (
    <>
      <Waiting shares={first?.waiting ?? []} />
      <Card title={words.list} aside={first && words.room(count(first.count), bytes(first.bytes))}>
        <Region query={query} what={words.what}>
          {({ pages }) => {
            const damaged = pages[0]?.damaged.length ?? 0;
            const capsules = pages.flatMap((page) => page.capsules);
            return (
              <>
                {damaged > 0 && (
                  <div className="pad">
                    <Note kind="warn" title={words.damaged(count(damaged))}>
                      <p>{words.damagedText}</p>
                    </Note>
                  </div>
                )}
                {pages[0] !== undefined && pages[0].count > 0 && <HowFound page={pages[0]} />}
                {capsules.length === 0 && <None isEmpty={pages[0]?.count === 0} />}
                <Rows capsules={capsules} />
              </>
            );
          }}
        </Region>
        {query.hasNextPage && (
          <footer>
            <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchingNextPage ? words.moreComes : words.more}
            </Button>
          </footer>
        )}
        {query.isFetchNextPageError && <ErrorNote title={words.moreFailed} error={query.error} />}
      </Card>
    </>
  );
}

function None({ isEmpty }: { readonly isEmpty: boolean }): ReactNode {
  if (isEmpty) return <Empty title={words.none} text={words.noneText} />;
  return <p className="pad muted">{words.noneFits}</p>;
}

function Rows({ capsules }: { readonly capsules: readonly KeptCapsuleView[] }): ReactNode {
  const now = useNow(60_000);
  return (
    <ul className="rows" aria-label={plural(capsules.length, 'memory', 'memories')}>
      {capsules.map((capsule) => (
        <CapsuleLink key={capsule.id} capsule={capsule} aside={clockTime(capsule.createdMs, now)} />
      ))}
    </ul>
  );
}
