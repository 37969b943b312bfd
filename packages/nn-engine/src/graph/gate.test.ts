import { describe, expect, it } from 'vitest';

import { createNodeRuntime } from '../node/runtime.ts';
import { gradients, Graph, multiply, scale, sigmoid, subtract, sum, thresholdGate, type Value } from './index.ts';

const { signal } = new AbortController();
const values = Float32Array.of(-1, 0.2, 0.5, 0.6, 2, 0.5);
const threshold = Float32Array.of(0.5, 0.1, 0.5);
const weights = Float32Array.of(3, -1, 2, 0.5, 4, 1);

describe('a threshold gate', () => {
  it('is open above the threshold and closed at it and below', async () => {
    const { y } = await run((x, at) => thresholdGate(x, at, 'straight-through'));
    expect(y).toEqual([0, 1, 0, 1, 1, 0]);
  });

  it('straight through, gradients pass as if it were the difference', async () => {
    const { dx, dthreshold } = await run((x, at) => thresholdGate(x, at, 'straight-through'));
    expect(dx).toEqual(Array.from(weights));
    expect(dthreshold).toEqual([-3.5, -3, -3]);
  });

  it('soft, gradients are those of the sigmoid it stands for', async () => {
    const gate = await run((x, at) => thresholdGate(x, at, { steepness: 4 }));
    const smooth = await run((x, at) => sigmoid(scale(subtract(x, at), 4)));
    expect(gate.y).not.toEqual(smooth.y);
    gate.dx.forEach((slope, index) => expect(slope).toBeCloseTo(smooth.dx[index] ?? Number.NaN, 5));
    gate.dthreshold.forEach((slope, index) => expect(slope).toBeCloseTo(smooth.dthreshold[index] ?? Number.NaN, 5));
    expect(Math.abs(gate.dx[0] ?? 0)).toBeGreaterThan(0.01);
  });
});

async function run(build: (x: Value, threshold: Value) => Value) {
  const graph = new Graph();
  const [x, at] = [graph.input('x', [2, 3]), graph.input('threshold', [3])];
  const y = build(x, at);
  const loss = sum(multiply(y, graph.constant(weights, [2, 3])), [0, 1]);
  const [dx, dthreshold] = gradients(loss, [x, at]) as [Value, Value];
  for (const [name, value] of Object.entries({ y, dx, dthreshold })) graph.output(name, value);
  await using program = await createNodeRuntime().load(graph.toModel(), { signal });
  const feeds = {
    x: { type: 'float32', shape: [2, 3], data: values },
    threshold: { type: 'float32', shape: [3], data: threshold },
  } as const;
  const result = await program.run(feeds, signal);
  const numbers = (name: string): number[] => Array.from((result[name]?.data ?? []) as Float32Array);
  return { y: numbers('y'), dx: numbers('dx'), dthreshold: numbers('dthreshold') };
}
