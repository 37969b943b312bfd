import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { limits } from '../limits.ts';
import { seededUnit } from '../train/random.ts';
import { type Cluster, createCluster, restoreCluster } from './cluster.ts';
import { decodeCluster, encodeCluster } from './state.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

/** A cluster in the middle of its life. */
function lived(): Cluster {
  const cluster = createCluster({ nodes: 5, inputs: 2, nodesMax: 100, seed: 8 });
  live(cluster, 40, 1);
  return cluster;
}

function live(cluster: Cluster, steps: number, seed: number): unknown[] {
  const random = seededUnit(seed);
  return Array.from({ length: steps }, (_, time) => {
    const input = [random() * 3 - 1, random() * 3 - 1];
    const values = time % 3 === 0 ? cluster.present(input) : cluster.process(input);
    cluster.learn([random() - 0.5, random() - 0.5]);
    return [[...values], cluster.split(), cluster.strengthen(), cluster.prune()];
  });
}

describe('A saved cluster', () => {
  it('comes back equal and goes on as the first would', () => {
    const cluster = lived();
    expect(cluster.size).toBeGreaterThan(5);
    const copy = restoreCluster(cluster.encode());
    expect(copy.nodes()).toEqual(cluster.nodes());
    expect(copy.encode()).toEqual(cluster.encode());
    const before = cluster.size;
    expect(live(copy, 30, 2)).toEqual(live(cluster, 30, 2));
    // Children are drawn from the same place in the random numbers.
    expect(cluster.size).toBeGreaterThan(before);
    expect(copy.encode()).toEqual(cluster.encode());
  });

  it('of the largest kind fits its limit', () => {
    const { clusterNodesMax: nodes, clusterInputsMax: inputs, clusterBytesMax } = limits;
    const largest = createCluster({ nodes, inputs, seed: 1 }).encode();
    expect(largest.length).toBeLessThan(clusterBytesMax);
    expect(restoreCluster(largest).size).toBe(nodes);
    const tooLong = new Uint8Array(clusterBytesMax + 1);
    expect(() => restoreCluster(tooLong)).toThrow(/longer than a cluster can be/);
    expect(() => restoreCluster(tooLong.subarray(1))).not.toThrow(/longer than a cluster can be/);
  });

  it('is refused when it holds what no cluster can have come to', () => {
    type Draft = ReturnType<typeof decodeCluster>;
    const first = ({ nodes: [node] }: Draft) => node ?? expect.fail('no node');
    for (const spoil of [
      (draft: Draft) => (first(draft).threshold = 0.09),
      (draft: Draft) => (first(draft).interval = 101),
      (draft: Draft) => (first(draft).timer = -1),
      (draft: Draft) => (first(draft).eligibility = 1.1),
      (draft: Draft) => (first(draft).activity = -0.1),
      (draft: Draft) => (first(draft).thresholdRate = 0.2),
      (draft: Draft) => (first(draft).intervalRate = 0),
      (draft: Draft) => (first(draft).accumulator = Infinity),
      (draft: Draft) => (first(draft).value = NaN),
      (draft: Draft) => (first(draft).weights[1] = 2.1),
      (draft: Draft) => (first(draft).traces[2] = NaN),
      (draft: Draft) => first(draft).edges.push({ from: 0, weight: 1, trace: 0, uses: 0 }),
      (draft: Draft) => (draft.nodes[1]?.edges ?? []).push({ from: 0, weight: 2.1, trace: 0, uses: 0 }),
      (draft: Draft) => draft.nodes.splice(1),
      (draft: Draft) => Object.assign(first(draft), { output: 2 }),
      (draft: Draft) => Object.assign(first(draft), { weights: new Float64Array(3) }),
      (draft: Draft) => Object.assign(draft, { nodesMax: 4 }),
      (draft: Draft) => Object.assign(draft, { nodesMax: limits.clusterNodesMax + 1 }),
      (draft: Draft) => Object.assign(draft, { inputs: 0 }),
      (draft: Draft) => Object.assign(draft, { outputs: limits.clusterOutputsMax + 1 }),
    ]) {
      const draft = decodeCluster(createCluster({ nodes: 5, inputs: 2, seed: 8 }).encode());
      encodeCluster(draft);
      spoil(draft);
      expect(() => decodeCluster(encodeCluster(draft)), spoil.toString()).toThrow(code('INVALID_FORMAT'));
    }
  });

  it('ten thousand mutations are read or refused with a code, and what is read runs', () => {
    const cluster = createCluster({ nodes: 3, inputs: 2, seed: 3 });
    live(cluster, 3, 1);
    const valid = cluster.encode();
    const random = seededRandom(7);
    expect(
      refusedMutations(valid, random, (bytes) => {
        const restored = restoreCluster(bytes);
        if (restored.inputs === 2) restored.process([1, 1]);
      }),
    ).toBeGreaterThan(100);
  });
});
