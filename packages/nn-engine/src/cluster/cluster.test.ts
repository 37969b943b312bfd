import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { gating } from './node.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const small = { nodes: 6, inputs: 3, seed: 4 };
const input = [1, 0.5, -0.5];

describe('A cluster', () => {
  it('takes the same way for the same seed, and another for another', () => {
    const run = (seed: number) => {
      const cluster = createCluster({ ...small, seed });
      const random = seededUnit(9);
      const values = Array.from({ length: 50 }, () => [...cluster.process([random(), random(), random()])]);
      return [values, cluster.split(), cluster.nodes()];
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('votes the same for the same input until it learns something', () => {
    const cluster = createCluster(small);
    const before = cluster.present(input);
    cluster.present([-3, 2, 2]);
    cluster.process(input);
    cluster.process([9, 9, 9]);
    // Processing adapts thresholds, so only what was presented in between is asked about.
    const after = createCluster(small);
    after.present([7, 7, 7]);
    expect(after.present(input)).toEqual(before);
    after.learn([0.9, -0.9]);
    expect(after.present(input, { steps: 30 })).not.toEqual(createCluster(small).present(input, { steps: 30 }));
  });

  it('splits what fires often, up to its bound, and a child goes its own way', () => {
    const cluster = createCluster({ ...small, nodesMax: 8 });
    expect(cluster.split()).toBe(0);
    for (let time = 0; time < 100; time += 1) cluster.process(input);
    expect(cluster.split()).toBe(2);
    expect([cluster.size, cluster.split()]).toEqual([8, 0]);
    expect(cluster.process(input)).toHaveLength(8);
  });

  it('strengthens edges in use up to 2, and prunes those that learning made weak', () => {
    const cluster = createCluster({ ...small, nodes: 20 });
    const weights = () => cluster.nodes().flatMap(({ edges }) => edges.map(({ weight }) => weight));
    const before = weights();
    expect(cluster.strengthen()).toBe(0);
    for (let time = 0; time < 200; time += 1) {
      cluster.process(input);
      cluster.strengthen();
    }
    expect(Math.max(...weights())).toBe(2);
    expect(weights().every((weight, index) => weight >= (before[index] ?? NaN))).toBe(true);
    expect(cluster.prune()).toBe(0);
    for (let time = 0; time < 60; time += 1) {
      cluster.present(input);
      cluster.learn(time % 2 === 0 ? [-1, 1] : [1, -1], { rate: 1 });
    }
    const pruned = cluster.prune();
    expect(pruned).toBeGreaterThan(0);
    expect(weights()).toHaveLength(before.length - pruned);
    expect(Math.min(...weights())).toBeGreaterThanOrEqual(0.1);
  });

  it('takes limits and refuses what is one beyond', () => {
    const { clusterNodesMax, clusterInputsMax, clusterOutputsMax, clusterStepsMax, clusterValueMax } = limits;
    expect(createCluster({ nodes: clusterNodesMax, inputs: 1, seed: 1 }).size).toBe(clusterNodesMax);
    const wide = { nodes: clusterOutputsMax, inputs: clusterInputsMax, outputs: clusterOutputsMax, seed: 1 };
    expect(createCluster(wide)).toMatchObject({ inputs: clusterInputsMax, outputs: clusterOutputsMax });
    for (const over of [{ nodes: clusterNodesMax + 1 }, { inputs: clusterInputsMax + 1 }])
      expect(() => createCluster({ ...wide, ...over })).toThrow(code('LIMIT_REACHED'));
    expect(() => createCluster({ ...wide, outputs: clusterOutputsMax + 1, nodes: 100 })).toThrow(code('LIMIT_REACHED'));
    expect(() => createCluster({ ...wide, nodesMax: clusterNodesMax + 1 })).toThrow(code('LIMIT_REACHED'));
    const cluster = createCluster(small);
    cluster.present(input, { steps: clusterStepsMax });
    expect(() => cluster.present(input, { steps: clusterStepsMax + 1 })).toThrow(code('LIMIT_REACHED'));
    cluster.process([clusterValueMax, -clusterValueMax, 0], { dt: clusterStepsMax });
    expect(() => cluster.process([clusterValueMax + 1, 0, 0])).toThrow(code('INVALID_OPTION'));
    expect(() => cluster.process(input, { dt: clusterStepsMax + 1 })).toThrow(code('INVALID_OPTION'));
  });

  it.each<[string, (cluster: Cluster) => unknown]>([
    ['no nodes', () => createCluster({ ...small, nodes: 0 })],
    ['fewer nodes than outputs', () => createCluster({ ...small, nodes: 2, outputs: 3 })],
    ['a fraction of an input', () => createCluster({ ...small, inputs: 1.5 })],
    ['a seed that is no whole number', () => createCluster({ ...small, seed: NaN })],
    ['an input of another length', (cluster) => cluster.process([1, 2])],
    ['an input that is not finite', (cluster) => cluster.present([1, 2, NaN])],
    ['time that stands still', (cluster) => cluster.process(input, { dt: 0 })],
    ['no steps', (cluster) => cluster.present(input, { steps: 0 })],
    ['an error of another length', (cluster) => cluster.learn([1])],
    ['an error above 1', (cluster) => cluster.learn([1, 1.01])],
    ['an error that is no number', (cluster) => cluster.learn([NaN, 0])],
    ['a rate of 0', (cluster) => cluster.learn([0, 0], { rate: 0 })],
    ['a rate above 1', (cluster) => cluster.learn([0, 0], { rate: 1.01 })],
  ])('refuses %s', (_, act) => {
    expect(() => act(createCluster(small))).toThrow(code('INVALID_OPTION'));
  });
});

describe('In 10,000 steps', () => {
  it('nodes stay under their bound and every number within its own, whatever is done', () => {
    const value = fc.double({ min: -1_000, max: 1_000, noNaN: true });
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(fc.constant('process' as const), value, value) },
      fc.tuple(fc.constantFrom('split', 'strengthen', 'prune', 'present', 'learn'), value, value),
    );
    let steps = 0;
    const property = fc.property(fc.integer(), fc.array(action, { minLength: 10, maxLength: 40 }), (seed, actions) => {
      const cluster = createCluster({ nodes: 3, inputs: 2, nodesMax: 16, seed });
      for (let turn = 0; turn < 500; turn += 1) {
        const [kind, x, y] = actions[turn % actions.length] ?? (['process', 0, 0] as const);
        if (kind === 'process') cluster.process([x, y]);
        else if (kind === 'present') cluster.present([x, y]);
        else if (kind === 'learn') cluster.learn([x / 1_000, y / 1_000], { rate: 1 });
        else cluster[kind]();
        steps += 1;
      }
      expect(cluster.size).toBeLessThanOrEqual(16);
      for (const node of cluster.nodes()) expect(within(node)).toBe(true);
    });
    fc.assert(property, { numRuns: 20 });
    expect(steps).toBeGreaterThanOrEqual(10_000);
  });

  it('a cluster that is split at every step stops at its bound', () => {
    const cluster = createCluster({ nodes: 4, inputs: 2, nodesMax: 40, seed: 2 });
    const random = seededUnit(3);
    for (let time = 0; time < 10_000; time += 1) {
      cluster.process([random() * 4 - 1, random() * 4 - 1]);
      cluster.split();
      cluster.strengthen();
      cluster.prune();
      if (cluster.size > 40) break;
    }
    expect(cluster.size).toBe(40);
  });
});

function within(node: ReturnType<Cluster['nodes']>[number]): boolean {
  const { threshold, interval, timer, eligibility, accumulator, value, thresholdRate, intervalRate } = node;
  return (
    [accumulator, value].every(Number.isFinite) &&
    threshold >= gating.thresholdMin &&
    threshold <= gating.thresholdMax &&
    interval >= gating.intervalMin &&
    interval <= gating.intervalMax &&
    timer >= 0 &&
    timer < interval &&
    eligibility >= 0 &&
    eligibility <= 1 &&
    thresholdRate >= gating.thresholdRateMin &&
    thresholdRate <= gating.thresholdRateMax &&
    intervalRate >= gating.intervalRateMin &&
    intervalRate <= gating.intervalRateMax &&
    node.edges.length <= limits.clusterEdgesMax &&
    node.edges.every(({ weight }) => weight >= 0 && weight <= gating.weightMax)
  );
}
