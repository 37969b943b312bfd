import { clamp, connect, gating, type GatingNode, restNode } from './node.ts';

/** Firings after which a node splits, and an edge is strengthened. */
const splitUses = 10;
const strengthenUses = 5;

/**
 * Splits nodes that fired more than ten times, the most used first, while there is room. A child has its parent's weights, each moved by up to
 * 0.05, its edges, and up to two more.
 *
 * @returns how many nodes came.
 */
export function splitNodes(nodes: GatingNode[], nodesMax: number, random: () => number): number {
  const used = nodes.filter(({ uses }) => uses > splitUses).sort((a, b) => b.uses - a.uses);
  const parents = used.slice(0, Math.max(0, nodesMax - nodes.length));
  for (const parent of parents) {
    parent.uses = 0;
    nodes.push(childOf(parent, nodes.length, random));
  }
  return parents.length;
}

function childOf(parent: GatingNode, index: number, random: () => number): GatingNode {
  const noisy = (weight: number): number => clamp(weight + (random() - 0.5) * 0.1, -gating.weightMax, gating.weightMax);
  const child: GatingNode = {
    ...parent,
    weights: parent.weights.map(noisy),
    traces: parent.traces.slice(),
    edges: parent.edges.map((edge) => ({ ...edge, uses: 0 })),
  };
  connect(random, child, index, 2);
  restNode(child);
  return child;
}

/** Edges used more than five times grow by a fifth, up to 2. Returns how many. */
export function strengthenEdges(nodes: readonly GatingNode[]): number {
  const used = nodes.flatMap(({ edges }) => edges.filter(({ uses }) => uses > strengthenUses));
  for (const edge of used) {
    edge.weight = Math.min(gating.weightMax, edge.weight * 1.2);
    edge.uses = 0;
  }
  return used.length;
}

/** Edges weaker than 0.1 go. Returns how many. */
export function pruneEdges(nodes: readonly GatingNode[]): number {
  let pruned = 0;
  for (const node of nodes) {
    const kept = node.edges.filter(({ weight }) => weight >= gating.edgeMin);
    pruned += node.edges.length - kept.length;
    node.edges = kept;
  }
  return pruned;
}
