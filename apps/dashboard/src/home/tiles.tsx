import type { NodeView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useLive } from '../app/context.ts';
import { bytes, count } from '../shared/format.ts';
import { Spark } from '../ui/people.tsx';
import { home } from './strings.ts';

/** The last minute in three numbers; greyed and dated when the live figures are away. */
export function Tiles({ node }: { readonly node: NodeView }): ReactNode {
  const { traffic, answering, link } = useLive();
  const last = traffic.at(-1) ?? { bytesPerSecond: 0, tokensPerSecond: 0 };
  const lost = link === 'lost';
  return (
    <section className="grid" aria-label={home.tiles}>
      <Tile title={home.tokensPerSecond} value={count(last.tokensPerSecond)} stale={lost}>
        <Spark values={traffic.map((point) => point.tokensPerSecond)} />
      </Tile>
      <Tile title={home.bytesPerSecond} value={bytes(last.bytesPerSecond)} stale={lost}>
        <Spark values={traffic.map((point) => point.bytesPerSecond)} />
      </Tile>
      <Tile title={home.answersNow} value={count(lost ? node.answering.active : answering)} stale={lost}>
        <p className="small muted">{home.answersOf(node.answering.concurrentMax, node.answering.queued)}</p>
      </Tile>
    </section>
  );
}

function Tile({
  title,
  value,
  stale,
  children,
}: {
  readonly title: string;
  readonly value: string;
  readonly stale: boolean;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={stale ? 'card tile stale' : 'card tile'}>
      <h3>{title}</h3>
      <b>{value}</b>
      {children}
      {stale && <p className="small">{home.polling}</p>}
    </div>
  );
}
