import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { createCluster } from './cluster.ts';
import { connect, type GatingNode } from './node.ts';
import { decodeCluster, encodeCluster } from './state.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

it('A value of `clusterValueMax` is presented, a larger one is not', () => {
  const cluster = createCluster({ nodes: 2, inputs: 1, seed: 1 });
  for (const value of [limits.clusterValueMax, -limits.clusterValueMax]) {
    expect(cluster.present([value])).toHaveLength(2);
    expect(() => cluster.present([value + Math.sign(value)])).toThrow(code('INVALID_OPTION'));
  }
});

it('A node draws `clusterEdgesMax` edges at the most', () => {
  const node = { edges: [] } as unknown as GatingNode;
  connect(seededUnit(1), node, 1_000, limits.clusterEdgesMax - 1);
  expect(node.edges).toHaveLength(limits.clusterEdgesMax - 1);
  connect(seededUnit(2), node, 1_000, 2);
  expect(node.edges).toHaveLength(limits.clusterEdgesMax);
});

describe('A saved cluster', () => {
  const saved = (draft: ReturnType<typeof decodeCluster>) => decodeCluster(encodeCluster(draft));
  const edges = (count: number) => {
    const nodes = limits.clusterEdgesMax + 3;
    const draft = decodeCluster(createCluster({ nodes, inputs: 1, seed: 1 }).encode());
    const last = draft.nodes.at(-1) ?? expect.fail('it has nodes');
    const made = Array.from({ length: count }, (_, from) => ({ from, weight: 0.5, trace: 0, uses: 0 }));
    Object.assign(last, { edges: made });
    return saved(draft).nodes.at(-1)?.edges.length;
  };

  it('has `clusterEdgesMax` edges at one node, and not one more', () => {
    expect(edges(limits.clusterEdgesMax)).toBe(limits.clusterEdgesMax);
    expect(() => edges(limits.clusterEdgesMax + 1)).toThrow(code('INVALID_FORMAT'));
  });

  it.each(['inputs', 'outputs'] as const)('has as many %s as may be, and is read again', (name) => {
    const most = { inputs: limits.clusterInputsMax, outputs: limits.clusterOutputsMax }[name];
    const cluster = createCluster({ nodes: name === 'outputs' ? most : 2, inputs: 1, seed: 1, [name]: most });
    expect(decodeCluster(cluster.encode())[name]).toBe(most);
  });
});
