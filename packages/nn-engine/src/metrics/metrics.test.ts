import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createCluster } from '../cluster/index.ts';
import { limits } from '../limits.ts';
import { clusterSample } from './cluster-sample.ts';
import { createStateTracker, metricNames, type StateMetrics, type StateSample } from './metrics.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const observe = (sample: StateSample): StateMetrics => createStateTracker().observe(sample);
const full = { activity: [1, -1], connections: [0.5], phases: [0, 1] };

const need = <T>(value: T | undefined): T => value ?? expect.fail('it is not there');

describe('Each metric, by hand', () => {
  it.each<[keyof StateMetrics, StateSample, number]>([
    // Variance 0.25 × (1 + 0.6).
    ['phi', { activity: [0, 1], connections: [0.4, 0.8, -3, 0] }, 0.4],
    ['phi', { activity: [0, 1], connections: [] }, 0.25],
    ['phi', { activity: [0, 1], connections: [-1] }, 0.25],
    ['phi', { activity: [-2, 2], connections: [1] }, 1],
    ['coherence', { phases: [1, 1, 1] }, 1],
    ['coherence', { phases: [0, Math.PI] }, 0],
    ['coherence', { phases: [0, Math.PI / 2] }, Math.SQRT1_2],
    ['entropy', { activity: [3, -3, 3, 3] }, 1],
    ['entropy', { activity: [0, 5] }, 0],
    // Shares 1/4, 1/4, 1/2: 1.5 bits of log2(3).
    ['entropy', { activity: [1, -1, 2] }, 1.5 / Math.log2(3)],
    ['valence', { activity: [1, 0] }, Math.tanh(0.5)],
    ['valence', { activity: [-1] }, Math.tanh(-1)],
    ['arousal', { activity: [0, 0.2] }, 0.1],
    ['arousal', { activity: [0, 2] }, 1],
  ])('%s of %j', (name, sample, expected) => {
    expect(observe(sample)[name]).toBeCloseTo(expected, 12);
  });

  it('empathy: 1 minus the variance of the last ten coherences', () => {
    const tracker = createStateTracker();
    const coherent = (yes: boolean) => tracker.observe({ phases: [0, yes ? 0 : Math.PI] }).empathy;
    expect(coherent(false)).toBeUndefined();
    expect(coherent(true)).toBeCloseTo(0.75, 12);
    for (let moment = 0; moment < 8; moment += 1) coherent(true);
    // One 0 in ten: variance 0.09. The next pushes it out.
    expect(coherent(true)).toBeCloseTo(1, 12);
    coherent(false);
    for (let moment = 0; moment < 8; moment += 1) coherent(true);
    expect(coherent(true)).toBeCloseTo(1 - 0.09, 12);
  });

  it('insight: the distance of the entropy from the mean of the five before', () => {
    const tracker = createStateTracker();
    const even = () => tracker.observe({ activity: [1, 1] }).insight;
    const single = () => tracker.observe({ activity: [1, 0] }).insight;
    expect(single()).toBeUndefined();
    expect(even()).toBeCloseTo(1, 12);
    expect(even()).toBeCloseTo(0.5, 12);
    for (let moment = 0; moment < 3; moment += 1) even();
    // The five before are 1 now: the first 0 has left.
    expect(single()).toBeCloseTo(1, 12);
    expect(single()).toBeCloseTo(0.8, 12);
  });
});

describe('What is missing', () => {
  it.each<[string, StateSample, readonly string[]]>([
    ['everything', {}, []],
    ['connections', { activity: [1, 2], phases: [0] }, ['coherence', 'entropy', 'valence', 'arousal']],
    ['activity', { connections: [1], phases: [0] }, ['coherence']],
    ['values in the lists', { activity: [], connections: [], phases: [] }, []],
    ['a second node', { activity: [1], connections: [] }, ['phi', 'valence', 'arousal']],
    ['any sound', { activity: [0, 0], connections: [] }, ['phi', 'valence', 'arousal']],
  ])('%s: is undefined, and nothing is made up', (_, sample, known) => {
    const metrics = observe(sample);
    expect(metricNames.filter((name) => metrics[name] !== undefined)).toEqual(known);
    expect(Object.keys(metrics).toSorted()).toEqual([...metricNames].toSorted());
  });

  it('for a moment leaves a gap in empathy and insight, and the memory of them as it was', () => {
    const tracker = createStateTracker();
    tracker.observe({ activity: [1, 1], phases: [0] });
    expect(tracker.observe({})).toMatchObject({ empathy: undefined, insight: undefined });
    expect(tracker.observe({ activity: [1, 0], phases: [0] })).toMatchObject({ empathy: 1, insight: 1 });
  });
});

describe('Metrics', () => {
  it('lie within their ranges, whatever the state', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 });
    const property = fc.property(fc.array(fc.tuple(values, values, values), { maxLength: 14 }), (moments) => {
      const tracker = createStateTracker();
      for (const [activity, connections, phases] of moments)
        for (const [name, value] of Object.entries(tracker.observe({ activity, connections, phases }))) {
          if (value === undefined) continue;
          expect(value).toBeGreaterThanOrEqual(name === 'valence' ? -1 : 0);
          expect(value).toBeLessThanOrEqual(1);
        }
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('refuse what is not finite, and note nothing of it', () => {
    const tracker = createStateTracker();
    tracker.observe({ activity: [1, 1], phases: [0] });
    for (const bad of [{ phases: [NaN] }, { activity: [Infinity] }, { connections: [-Infinity] }])
      expect(() => tracker.observe({ ...full, ...bad })).toThrow(code('NOT_FINITE'));
    expect(tracker.observe({ activity: [1, 1] }).insight).toBe(0);
  });

  it('are made of so many values, and not of one more', () => {
    const most = new Float64Array(limits.stateValuesMax);
    expect(observe({ activity: most, connections: most, phases: most }).coherence).toBe(1);
    expect(() => observe({ ...full, phases: new Float64Array(limits.stateValuesMax + 1) })).toThrow(
      code('LIMIT_REACHED'),
    );
  });

  it('look back on `stateCoherencesMax` coherences and `stateEntropiesMax` entropies, and on none before', () => {
    const tracker = createStateTracker();
    // At first phases that cancel out, and one node alone; from then on all is alike.
    tracker.observe({ phases: [0, Math.PI], activity: [1, 0] });
    const seen = Array.from({ length: limits.stateCoherencesMax }, () =>
      tracker.observe({ phases: [0, 0], activity: [1, 1] }),
    );
    const notSteady = seen.map(({ empathy }) => need(empathy) < 0.99);
    expect(notSteady.indexOf(false)).toBe(limits.stateCoherencesMax - 1);
    const departed = seen.map(({ insight }) => need(insight) > 0.01);
    expect(departed.indexOf(false)).toBe(limits.stateEntropiesMax);
  });

  it('of a gating cluster come from its nodes: what they gave, their edges, how far their timers are', () => {
    const cluster = createCluster({ nodes: 6, inputs: 2, seed: 5 });
    for (let time = 0; time < 20; time += 1) cluster.process([3, 2]);
    const values = cluster.process([3, 2]);
    const sample = clusterSample(cluster);
    const nodes = cluster.nodes();
    expect(sample.activity).toEqual([...values]);
    expect(sample.connections).toEqual(nodes.flatMap(({ edges }) => edges.map(({ weight }) => weight)));
    expect(sample.phases).toEqual(nodes.map(({ timer, interval }) => (2 * Math.PI * timer) / interval));
    const metrics = observe(sample);
    for (const name of ['phi', 'coherence', 'entropy', 'valence', 'arousal'] as const)
      expect(metrics[name]).toBeTypeOf('number');
  });
});
