import type { ClusterState } from '../cluster/state.ts';
import { concat, reshape, split, type Value } from '../graph/index.ts';

/** One number a node, in the order of their columns. */
const scalars = [
  'bias',
  'threshold',
  'interval',
  'accumulator',
  'timer',
  'eligibility',
  'thresholdRate',
  'intervalRate',
  'activity',
  'uses',
] as const;
type Scalar = (typeof scalars)[number];

/** How a cluster lies in a table with one row a node. */
export interface ClusterForm {
  readonly nodes: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Places for edges in each row, count; where a node has fewer, the rest is 0 and stays so. */
  readonly edges: number;
  readonly columns: number;
  readonly scalars: typeof scalars;
  /** Columns from left to right. */
  readonly parts: readonly { readonly name: string; readonly size: number }[];
}
/** The table's columns as values: [nodes, n], and [nodes] for what is one number a node. */
export type ClusterParts = Readonly<Record<Scalar | 'weights' | 'traces' | 'edges' | 'edgeTraces' | 'edgeUses', Value>>;

export function clusterForm({ nodes, inputs, outputs }: ClusterState): ClusterForm {
  const edges = Math.max(1, ...nodes.map((node) => node.edges.length));
  const parts = [
    { name: 'weights', size: inputs },
    { name: 'traces', size: inputs + 1 },
    ...scalars.map((name) => ({ name, size: 1 })),
    ...['edges', 'edgeTraces', 'edgeUses'].map((name) => ({ name, size: edges })),
  ];
  const columns = parts.reduce((all, { size }) => all + size, 0);
  return { nodes: nodes.length, inputs, outputs, edges, columns, scalars, parts };
}

/** From the first column of a part to before the next part's. */
export function columnsOf({ parts }: ClusterForm, name: string): [start: number, end: number] {
  const place = parts.findIndex((part) => part.name === name);
  const start = parts.slice(0, place).reduce((all, { size }) => all + size, 0);
  return [start, start + (parts[place]?.size ?? 0)];
}

export function parted(state: Value, { nodes, parts }: ClusterForm): ClusterParts {
  const values = split(
    state,
    1,
    parts.map(({ size }) => size),
  );
  const named = parts.map(({ name }, index) => {
    const value = values[index] as Value;
    return [name, scalars.some((scalar) => scalar === name) ? reshape(value, [nodes]) : value] as const;
  });
  return Object.fromEntries(named) as unknown as ClusterParts;
}

export function joined(parts: ClusterParts): Value {
  const { weights, traces, edges, edgeTraces, edgeUses } = parts;
  const columns = scalars.map((name) => reshape(parts[name], [...parts[name].shape.map(Number), 1]));
  return concat([weights, traces, ...columns, edges, edgeTraces, edgeUses], 1);
}
