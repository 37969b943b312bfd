import { expect, it } from 'vitest';

import { seededUnit } from '../train/random.ts';
import { splitNodes, strengthenEdges } from './growth.ts';
import { createNode, type GatingNode } from './node.ts';

const used = (uses: number): GatingNode => ({
  ...createNode(seededUnit(1), { inputs: 2, output: 0, sign: 1 }),
  activity: 0.5,
  uses,
});

it('A node that fired eleven times splits, the most used first; one that fired ten times does not', () => {
  const nodes = [used(10), used(11), used(30)];
  const [, second, third] = nodes;
  expect(splitNodes(nodes, 4, seededUnit(2))).toBe(1);
  expect([nodes.length, third?.uses, second?.uses]).toEqual([4, 0, 11]);
  expect(splitNodes(nodes, 10, seededUnit(2))).toBe(1);
  expect(splitNodes(nodes, 10, seededUnit(2))).toBe(0);
  const child = nodes[3];
  child?.weights.forEach((weight, index) => {
    expect(weight).not.toBe(third?.weights[index]);
    expect(Math.abs(weight - (third?.weights[index] ?? NaN))).toBeLessThanOrEqual(0.05);
  });
  expect(child).toMatchObject({ threshold: third?.threshold, uses: 0, activity: 0 });
});

it('An edge used six times is strengthened, one used five times is not', () => {
  const node = used(0);
  node.edges = [5, 6].map((uses, from) => ({ from, weight: 0.5, trace: 0, uses }));
  expect(strengthenEdges([node])).toBe(1);
  expect(node.edges.map(({ weight, uses }) => [weight, uses])).toEqual([
    [0.5, 5],
    [0.6, 0],
  ]);
});
