import { describe, expect, it } from 'vitest';

import { gating, type GatingNode, learnNode, stepNode } from './node.ts';

const node = (over: Partial<GatingNode> = {}): GatingNode => ({
  weights: Float64Array.of(0.5, -0.25),
  traces: new Float64Array(3),
  bias: 0,
  threshold: 1,
  interval: 3,
  accumulator: 0,
  timer: 0,
  eligibility: 0,
  thresholdRate: 0.01,
  intervalRate: 0.005,
  activity: 0,
  output: 0,
  sign: 1,
  edges: [],
  uses: 0,
  value: 0,
  fired: undefined,
  ...over,
});
const step = (one: GatingNode, ...values: number[]): void =>
  stepNode(one, { values, valueOf: () => 0.5, dt: 1, adapt: true });

describe('A threshold-gating node', () => {
  it('adds up what comes in and fires at its threshold, which then rises', () => {
    const one = node();
    step(one, 1, 0);
    expect([one.accumulator, one.fired]).toEqual([0.5, undefined]);
    step(one, 1, 0);
    expect(one).toMatchObject({ fired: 'threshold', value: 1, accumulator: 0, timer: 0, eligibility: 1, uses: 1 });
    expect([one.threshold, one.interval]).toEqual([1.01, 3.005]);
  });

  it('gives what it has when its interval is over, also below zero, and its threshold falls by half as much', () => {
    const one = node();
    for (let time = 0; time < 3; time += 1) step(one, 0, 1);
    expect(one).toMatchObject({ fired: 'timer', value: -0.75, accumulator: 0, timer: 0 });
    expect([one.threshold, one.interval]).toEqual([0.995, 2.9975]);
  });

  it('keeps threshold and interval within their bounds, whatever drives it', () => {
    const silent = node({ threshold: gating.thresholdMin, interval: gating.intervalMin });
    step(silent, 0, 0);
    expect([silent.fired, silent.threshold, silent.interval]).toEqual(['timer', 0.1, 1]);
    const driven = node({ threshold: gating.thresholdMax, interval: gating.intervalMax });
    step(driven, 1_000, 0);
    expect([driven.fired, driven.threshold, driven.interval]).toEqual(['threshold', 100, 100]);
  });

  it('holds threshold and interval when it does not adapt', () => {
    const one = node();
    stepNode(one, { values: [4, 0], valueOf: () => 0, dt: 1, adapt: false });
    expect([one.fired, one.threshold, one.interval]).toEqual(['threshold', 1, 3]);
  });

  it('leaves a trace of each input, the larger the nearer the accumulator is to the threshold', () => {
    const far = node();
    step(far, 0.5, 1);
    // Accumulator 0, distance 1: a quarter.
    expect([...far.traces]).toEqual([0.125, 0.25, 0.25]);
    const near = node({ accumulator: 1 });
    step(near, 0.5, 1);
    expect([...near.traces]).toEqual([0.5, 1, 1]);
  });

  it('moves each weight by rate, error and its own trace, and an edge not below zero', () => {
    const edges = [{ from: 0, weight: 0.2, trace: -8, uses: 0 }];
    const one = node({ traces: Float64Array.of(1, -2, 0.5), edges });
    learnNode(one, 0.5, 0.1);
    expect(one.weights[0]).toBeCloseTo(0.55, 12);
    expect(one.weights[1]).toBeCloseTo(-0.35, 12);
    expect(one.bias).toBeCloseTo(0.025, 12);
    expect(edges[0]?.weight).toBe(0);
    const against = node({ sign: -1, traces: Float64Array.of(1, 0, 0) });
    learnNode(against, 0.5, 0.1);
    expect(against.weights[0]).toBeCloseTo(0.45, 12);
  });

  it('keeps its weights within ±2', () => {
    const one = node({ traces: Float64Array.of(1_000, -1_000, 1_000) });
    learnNode(one, 1, 1);
    expect([...one.weights, one.bias]).toEqual([2, -2, 2]);
  });

  it('adapts faster after a large error and slower after a small one, in proportion to its eligibility', () => {
    const wrong = node({ eligibility: 0.5 });
    learnNode(wrong, 1, 0.1);
    expect(wrong.thresholdRate).toBeCloseTo(0.01 + 0.1 * 0.5 * 0.5, 12);
    expect(wrong.intervalRate).toBeCloseTo(0.005 + 0.05 * 0.5 * 0.5, 12);
    const right = node({ eligibility: 1 });
    learnNode(right, 0, 0.1);
    expect([right.thresholdRate, right.intervalRate]).toEqual([gating.thresholdRateMin, gating.intervalRateMin]);
  });
});
