import type { ClusterDetail } from '@peerai/peer/control';
import { useId, type ReactNode } from 'react';
import { limits } from '../app/limits.ts';
import { count } from '../shared/format.ts';
import { Card } from '../ui/page.tsx';
import { gridOf } from './numbers.ts';
import { drawing as words } from './strings.ts';

type Nodes = ClusterDetail['state'];
/** Of one node's place, in the drawing's own units. */
const cell = 40;

/** Every node as a disc that fills up to its threshold, its edges as lines, and what fires as a ring. */
export function NodeDrawing({
  cluster,
  fired,
}: {
  readonly cluster: ClusterDetail;
  /** Nodes that fired just now. */
  readonly fired: readonly number[];
}): ReactNode {
  const title = useId();
  const shown = cluster.state.slice(0, limits.clusterNodesDrawn);
  const { columns, rows } = gridOf(shown.length);
  const placeOf = (node: number): readonly [number, number] => [
    (node % columns) * cell + cell / 2,
    Math.floor(node / columns) * cell + cell / 2,
  ];
  const lit = new Set(fired);
  return (
    <Card title={words.title}>
      <svg className="nodes" viewBox={`0 0 ${columns * cell} ${rows * cell}`} role="img" aria-labelledby={title}>
        <title id={title}>{words.said(cluster.nodes, fired.length)}</title>
        <Edges nodes={shown} placeOf={placeOf} />
        {shown.map(({ accumulator, threshold }, node) => {
          const [x, y] = placeOf(node);
          const full = Math.min(1, Math.max(0, accumulator / threshold));
          return (
            <g key={node} className={lit.has(node) ? 'fired' : undefined}>
              <circle className="rim" cx={x} cy={y} r="10" />
              <circle className="fill" cx={x} cy={y} r={(lit.has(node) ? 1 : full) * 9} />
            </g>
          );
        })}
      </svg>
      <div className="pad legend">
        <Key look="fired" r={9} name={words.fired} />
        <Key look="" r={5} name={words.full} />
        <span className="path">
          <svg className="nodes nodes-key" viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2 12h20" strokeWidth="2" />
          </svg>
          {words.edge}
        </span>
      </div>
      {cluster.nodes > shown.length && (
        <p className="pad small muted">{words.drawn(count(shown.length), count(cluster.nodes))}</p>
      )}
      <details className="over">
        <summary>{words.table}</summary>
        <NodeTable nodes={shown} />
      </details>
    </Card>
  );
}

function Edges({
  nodes,
  placeOf,
}: {
  readonly nodes: Nodes;
  readonly placeOf: (node: number) => readonly [number, number];
}): ReactNode {
  return nodes.flatMap(({ edges }, node) =>
    edges
      .filter(({ from }) => from < nodes.length)
      .map(({ from, weight }) => {
        const [x, y] = placeOf(from);
        const [toX, toY] = placeOf(node);
        const [middleX, middleY] = [(x + toX) / 2 + (toY - y) / 6, (y + toY) / 2 - (toX - x) / 6];
        const d = `M${x} ${y}Q${middleX.toFixed(1)} ${middleY.toFixed(1)} ${toX} ${toY}`;
        return <path key={`${from}-${node}`} d={d} strokeWidth={(0.4 + weight).toFixed(2)} />;
      }),
  );
}

function Key({ look, r, name }: { readonly look: string; readonly r: number; readonly name: string }): ReactNode {
  return (
    <span className="path">
      <svg className="nodes nodes-key" viewBox="0 0 24 24" aria-hidden="true">
        <g className={look}>
          <circle className="rim" cx="12" cy="12" r="10" />
          <circle className="fill" cx="12" cy="12" r={r} />
        </g>
      </svg>
      {name}
    </span>
  );
}

function NodeTable({ nodes }: { readonly nodes: Nodes }): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={words.table}>
      <table>
        <thead>
          <tr>
            {words.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ fired, accumulator, threshold, timer, interval, edges }, node) => (
            <tr key={node}>
              <td>{node}</td>
              <td>{fired ?? words.none}</td>
              <td>{accumulator.toFixed(2)}</td>
              <td>{threshold.toFixed(2)}</td>
              <td>{`${timer.toFixed(0)} / ${interval.toFixed(1)}`}</td>
              <td>{edges.map(({ from, weight }) => `${from} (${weight.toFixed(2)})`).join(', ') || words.none}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
