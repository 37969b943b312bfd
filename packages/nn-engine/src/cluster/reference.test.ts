import { describe, expect, it } from 'vitest';

import { createCluster } from './cluster.ts';
import { seededUnit } from '../train/random.ts';

const at = (column: readonly number[], index: number): number => column[index] ?? NaN;

/**
 * The formulas of docs/gating-clusters.md once more, written from the page: every quantity of all nodes is a column, a step is a list of whole
 * columns, and nothing of the package but its random numbers is used.
 */
function plainCluster(seed: number, nodeCount: number, inputCount: number) {
  const random = seededUnit(seed);
  const w: number[][] = [];
  const [b, theta, tau]: [number[], number[], number[]] = [[], [], []];
  const edges: [from: number, weight: number][][] = [];
  for (let j = 0; j < nodeCount; j += 1) {
    const row: number[] = [];
    while (row.length < inputCount) row.push(random() - 0.5);
    w.push(row);
    b.push((random() - 0.5) * 0.2);
    theta.push(0.5 + 1.5 * random());
    tau.push(5 + 10 * random());
    const own: [number, number][] = [];
    const wanted = 1 + Math.floor(random() * 3);
    if (j > 0)
      for (let k = 0; k < wanted; k += 1) {
        const pair: [number, number] = [Math.floor(random() * j), 0.1 + 0.9 * random()];
        if (own.every(([from]) => from !== pair[0])) own.push(pair);
      }
    edges.push(own);
  }
  const zero = () => Array.from({ length: nodeCount }, () => 0);
  let [a, t, e] = [zero(), zero(), zero()];
  const [etaTheta, etaTau] = [0.01, 0.005];
  return (x: readonly number[]) => {
    const y = zero();
    const s = zero();
    const fired: (string | undefined)[] = [];
    for (let j = 0; j < nodeCount; j += 1) {
      let total = at(b, j);
      x.forEach((value, i) => (total += at(w[j] ?? [], i) * value));
      for (const [from, weight] of edges[j] ?? []) total += weight * Math.max(-1, Math.min(1, at(y, from)));
      s[j] = at(a, j) + total;
      const waited = at(t, j) + 1;
      const reached = at(s, j) >= at(theta, j);
      fired[j] = reached ? 'threshold' : waited >= at(tau, j) ? 'timer' : undefined;
      y[j] = fired[j] === undefined ? 0 : at(s, j);
    }
    t = t.map((value, j) => (fired[j] === undefined ? value + 1 : 0));
    a = s.map((value, j) => (fired[j] === undefined ? value : 0));
    e = e.map((value, j) => (fired[j] === undefined ? value * 0.95 : 1));
    fired.forEach((how, j) => {
      if (how === 'threshold') [theta[j], tau[j]] = [at(theta, j) + etaTheta, at(tau, j) + etaTau];
      if (how === 'timer')
        [theta[j], tau[j]] = [Math.max(0.1, at(theta, j) - etaTheta / 2), Math.max(1, at(tau, j) - etaTau / 2)];
    });
    return { fired, value: y, accumulator: a, timer: t, eligibility: e, threshold: [...theta], interval: [...tau] };
  };
}

describe('The formulas, against a second writing of them', () => {
  it.each(Array.from({ length: 20 }, (_, index) => index + 1))('trace %i: 300 steps agree', (seed) => {
    const [nodes, inputs] = [1 + (seed % 12) + 1, 1 + (seed % 5)];
    const cluster = createCluster({ nodes, inputs, seed });
    const plain = plainCluster(seed, nodes, inputs);
    const random = seededUnit(seed + 1_000);
    const kinds = new Set<string | undefined>();
    for (let time = 0; time < 300; time += 1) {
      const x = Array.from({ length: inputs }, () => 3 * random() - 1.2);
      const values = cluster.process(x);
      const expected = plain(x);
      const views = cluster.nodes();
      expect([...values]).toEqual(expected.value);
      for (const name of ['fired', 'accumulator', 'timer', 'eligibility', 'threshold', 'interval'] as const)
        expect(views.map((view) => view[name])).toEqual(expected[name]);
      expected.fired.forEach((how) => kinds.add(how));
    }
    expect(kinds).toEqual(new Set([undefined, 'threshold', 'timer']));
  });
});
