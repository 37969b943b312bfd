import type { CapsuleDetail } from '@peerai/peer/control';
import { PeerAiError } from '@peerai/core-protocol';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useApp } from '../app/context.ts';
import { keys } from '../app/keys.ts';
import { useMemories } from '../app/queries.ts';
import { bytes, clockTime, plural, shortId } from '../shared/format.ts';
import { Facts } from '../ui/facts.tsx';
import { Card } from '../ui/page.tsx';
import { PaneHead, PaneHint } from '../ui/panes.tsx';
import { Region, useNow } from '../ui/region.tsx';
import { ForgetCapsule } from './forget-capsule.tsx';
import { authorOf, titleOf } from './question.ts';
import { ShareCapsule } from './share-capsule.tsx';
import { capsule as words, memory, search } from './strings.ts';

/** One thing that is remembered, whole. */
export function CapsulePane({ id }: { readonly id: string }): ReactNode {
  const { client } = useApp();
  const detail = useQuery({
    queryKey: [...keys.memoryOne, id],
    // null: it went while it was open.
    queryFn: ({ signal }): Promise<CapsuleDetail | null> => client.memory(id, signal),
  });
  const gone = <PaneHint to="/memory" back={memory.back} text={memory.gone} />;
  if (detail.data === undefined && PeerAiError.is(detail.error, 'NOT_FOUND')) return gone;
  return (
    <Region query={detail} what={memory.what}>
      {(capsule) => (capsule === null ? gone : <Capsule capsule={capsule} />)}
    </Region>
  );
}

function Capsule({ capsule }: { readonly capsule: CapsuleDetail }): ReactNode {
  const title = titleOf(capsule);
  return (
    <>
      <PaneHead to="/memory" back={memory.back} name={title} />
      <section className="card pad stack" aria-label={title}>
        <p className="written">{capsule.text ?? words.noText(capsule.mediaType, bytes(capsule.bytes))}</p>
        <About capsule={capsule} />
      </section>
      <Relations relations={capsule.relations} />
      <ShareCapsule capsule={capsule} />
      <ForgetCapsule capsule={capsule} />
    </>
  );
}

function About({ capsule }: { readonly capsule: CapsuleDetail }): ReactNode {
  const now = useNow(60_000);
  return (
    <>
      <Facts
        facts={[
          [words.author, authorOf(capsule)],
          [words.created, clockTime(capsule.createdMs, now)],
          [words.level, memory.levels[capsule.level]],
          [words.tags, capsule.tags.length === 0 ? null : capsule.tags.join(', ')],
          [words.quality, capsule.quality.toFixed(2)],
          [words.importance, capsule.importance.toFixed(2)],
          [words.uses, words.times(plural(capsule.uses, 'time'))],
        ]}
      />
      <details className="small">
        <summary>{words.details}</summary>
        <Facts
          facts={[
            [words.kept, clockTime(capsule.keptSinceMs, now)],
            [words.novelty, capsule.novelty.toFixed(2)],
            [words.kind, search.kinds[capsule.kind]],
            [words.embedder, capsule.embedder],
            [words.size, bytes(capsule.bytes)],
            [words.id, <code key="id">{capsule.id}</code>],
          ]}
        />
      </details>
    </>
  );
}

/** Those that the list has fetched are called by what they say. */
function Relations({ relations }: Pick<CapsuleDetail, 'relations'>): ReactNode {
  const known = useMemories({}).data?.pages.flatMap(({ capsules }) => capsules) ?? [];
  if (relations.length === 0) return null;
  return (
    <Card title={words.relations} aside={plural(relations.length, 'link')}>
      <ul className="rows">
        {relations.map(({ kind, capsule }) => {
          const other = known.find(({ id }) => id === capsule);
          return (
            <li key={`${kind} ${capsule}`} className="pad anywhere">
              {words.kinds[kind]}{' '}
              <Link to="/memory" search={{ id: capsule }}>
                {other === undefined ? shortId(capsule) : titleOf(other)}
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
