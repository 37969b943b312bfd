import type { Tensor, Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { createNodeRuntime } from '../node/runtime.ts';
import { layoutOf } from '../train/layout.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import { createTrainer, freshState } from '../train/trainer.ts';
import { trainingGraph } from '../train/training-graph.ts';
import {
  batchNorm,
  batchNormTraining,
  freshStatistics,
  Graph,
  mean,
  multiply,
  type RunningStatistics,
  type Value,
} from './index.ts';

const { signal } = new AbortController();
const runtime = createNodeRuntime();
const [rows, channels, places] = [5, 3, 4];
const shape = [rows, channels, 2, 2];
const random = seededUnit(11);
const tensor = (data: Float32Array, of: readonly number[] = [data.length]): Tensor => ({
  type: 'float32',
  shape: of,
  data,
});
const x = Float32Array.from({ length: rows * channels * places }, () => 3 + 2 * gaussian(random));
const [gain, bias, centre, variance] = [
  Float32Array.of(0.5, -1, 2),
  Float32Array.of(1, 0, -3),
  Float32Array.of(2.5, 3, 3.5),
  Float32Array.of(4, 1, 0.25),
];
const channelOf = (index: number): number => Math.floor(index / places) % channels;
const dataOf = (results: Tensors, name: string): Float32Array => results[name]?.data as Float32Array;

function parts(graph: Graph): readonly [Value, Value, Value, RunningStatistics] {
  const vector = (name: string): Value => graph.input(name, [channels]);
  const running = { mean: vector('mean'), variance: vector('variance') };
  return [graph.input('x', shape), vector('gain'), vector('bias'), running];
}
const feeds: Tensors = {
  x: tensor(x, shape),
  gain: tensor(gain),
  bias: tensor(bias),
  mean: tensor(centre),
  variance: tensor(variance),
};
async function run(build: (graph: Graph) => void): Promise<Tensors> {
  const graph = new Graph();
  build(graph);
  await using program = await runtime.load(graph.toModel(), { signal });
  return await program.run(feeds, signal);
}
function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 4): void {
  expect(actual).toHaveLength(expected.length);
  Array.from(expected).forEach((value, index) => expect(actual[index], `element ${index}`).toBeCloseTo(value, digits));
}

describe('batch normalisation', () => {
  it('answers by the running statistics, as the formula of ONNX BatchNormalization has it', async () => {
    const results = await run((graph) => graph.output('y', batchNorm(...parts(graph))));
    const expected = x.map((value, index) => {
      const channel = channelOf(index);
      const at = (values: Float32Array): number => values.at(channel) ?? Number.NaN;
      return ((value - at(centre)) / Math.sqrt(at(variance) + 1e-5)) * at(gain) + at(bias);
    });
    expectNear(dataOf(results, 'y'), expected);
  });

  it('trains by the batch itself, and moves the running statistics a tenth of the way', async () => {
    const results = await run((graph) => {
      const { output, next } = batchNormTraining(...parts(graph));
      graph.output('y', output);
      graph.output('mean.next', next.mean);
      graph.output('variance.next', next.variance);
    });
    const of = (channel: number): readonly number[] => Array.from(x).filter((_, index) => channelOf(index) === channel);
    const batch = [0, 1, 2].map((channel) => {
      const values = of(channel);
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      return { average, spread: values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length };
    });
    expectNear(
      dataOf(results, 'mean.next'),
      batch.map(({ average }, c) => 0.9 * (centre[c] ?? 0) + 0.1 * average),
    );
    expectNear(
      dataOf(results, 'variance.next'),
      batch.map(({ spread }, c) => 0.9 * (variance[c] ?? 0) + 0.1 * spread),
    );
    // With the batch's own statistics as the running ones, answering is the same as training.
    const own = await run((graph) => {
      const [value, g, b] = parts(graph);
      const running = {
        mean: graph.constant(batch.map(({ average }) => average)),
        variance: graph.constant(batch.map(({ spread }) => spread)),
      };
      graph.output('y', batchNorm(value, g, b, running));
    });
    expectNear(dataOf(results, 'y'), dataOf(own, 'y'));
  });

  it.each([
    ['a gain of another length', [channels + 1], shape],
    ['no channels', [channels], [channels]],
  ])('refuses %s by name', (_, wrong, of) => {
    const graph = new Graph();
    const vector = graph.input('v', [channels]);
    const running = { mean: vector, variance: vector };
    for (const norm of [batchNorm, batchNormTraining])
      expect(() => norm(graph.input('x', of), graph.input('gain', wrong), vector, running)).toThrowError(
        expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringContaining('BatchNormalization') }),
      );
  });

  it('learns with its statistics carried from step to step beside the weights', async () => {
    const layout = layoutOf({ gain: [channels], bias: [channels] });
    const graph = trainingGraph({
      layout,
      loss(within, parameters) {
        const [g, b] = [parameters.get('gain'), parameters.get('bias')] as [Value, Value];
        const running = { mean: within.input('mean', [channels]), variance: within.input('variance', [channels]) };
        const { output, next } = batchNormTraining(within.input('x', shape), g, b, running);
        within.output('mean.next', next.mean);
        within.output('variance.next', next.variance);
        return mean(multiply(output, output), [0, 1, 2, 3]);
      },
    });
    const initial = freshState(Float32Array.of(1, 1, 1, 1, 1, 1));
    const statistics = { ...freshStatistics(channels) };
    await using trainer = await createTrainer({ runtime }, { graph, initial, statistics, signal });
    const batch = { x: tensor(x, shape) };
    const { loss: first } = await trainer.step(batch, 0.05, signal);
    let last = first;
    for (let step = 0; step < 30; step += 1) last = (await trainer.step(batch, 0.05, signal)).loss;
    expect(last).toBeLessThan(first / 2);
    const carried = await trainer.statistics();
    // 31 steps of a tenth leave 4 % of where they began; the batch's own mean is near 3.
    expect(Math.min(...(carried['mean'] ?? []))).toBeGreaterThan(1.5);
    expect(await trainer.weights()).toHaveLength(layout.size);
  });
});
