import type { MemoryGraphView } from '@peerai/peer/control';
import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { useMemoryGraph } from '../app/queries.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { picture, placeCapsules } from './graph-layout.ts';
import { titleOf } from './question.ts';
import { graph as words } from './strings.ts';

type Bond = MemoryGraphView['links'][number];

/** What is remembered as points, and what binds them as lines; the list below says the same in words. */
export function MemoryGraph({ onClose }: { readonly onClose: () => void }): ReactNode {
  const query = useMemoryGraph();
  return (
    <Card
      title={words.title}
      aside={
        <Button look="quiet" onClick={onClose}>
          {words.close}
        </Button>
      }
    >
      <Region query={query} what={words.what}>
        {(view) => (
          <div className="pad stack">
            <p className="small muted">{words.rule(count(view.capsules.length), count(view.count))}</p>
            <Picture view={view} />
            <List view={view} />
          </div>
        )}
      </Region>
    </Card>
  );
}

const lookOf = (kind: Bond['kind']): string =>
  kind === 'near' ? 'near' : kind === 'tag' || kind === 'source' ? 'loose' : 'named';

function Picture({ view }: { readonly view: MemoryGraphView }): ReactNode {
  const { capsules, links } = view;
  const places = useMemo(() => placeCapsules(view), [view]);
  const at = (id: string) => places.get(id) ?? { x: 0, y: 0 };
  if (capsules.length === 0) return <p>{words.none}</p>;
  return (
    <svg className="web" viewBox={`0 0 ${picture.width} ${picture.height}`} role="group" aria-label={words.title}>
      {links.map(({ from, to, kind }) => (
        <line
          key={`${from} ${to}`}
          className={lookOf(kind)}
          x1={at(from).x}
          y1={at(from).y}
          x2={at(to).x}
          y2={at(to).y}
        />
      ))}
      {capsules.map((capsule) => (
        <Link key={capsule.id} to="/memory" search={{ id: capsule.id }} aria-label={titleOf(capsule)}>
          <title>{titleOf(capsule)}</title>
          <circle
            className={capsule.mine ? 'mine' : 'other'}
            cx={at(capsule.id).x}
            cy={at(capsule.id).y}
            r={picture.radius}
          />
        </Link>
      ))}
    </svg>
  );
}

function List({ view: { capsules, links } }: { readonly view: MemoryGraphView }): ReactNode {
  const titles = new Map(capsules.map((capsule) => [capsule.id, titleOf(capsule)]));
  return (
    <details className="small">
      <summary>{words.list(count(links.length))}</summary>
      <ul>
        {links.map(({ from, to, kind, strength }) => (
          <li key={`${from} ${to}`} className="anywhere">
            {words.says[kind](titles.get(from) ?? from, titles.get(to) ?? to, strength)}
          </li>
        ))}
      </ul>
    </details>
  );
}
