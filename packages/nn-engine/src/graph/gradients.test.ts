import type { Program, Tensor, Tensors } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { createNodeRuntime } from '../node/runtime.ts';
import { seededUnit } from '../train/random.ts';
import * as ops from './index.ts';
import { Graph, gradients, type Value } from './index.ts';

/**
 * Every derivative against central differences. Each case reduces its result with fixed random weights to a scalar, so that every
 * element of the gradient is exercised. float32 and a step of 1e-2: the stated tolerance is 2e-3 + 1 % of the largest gradient.
 */
const step = 1e-2;
const absoluteTolerance = 2e-3;
const relativeTolerance = 1e-2;
const { signal } = new AbortController();
const runtime = createNodeRuntime();
const programs: Program[] = [];

interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly build: (...values: readonly Value[]) => Value;
  /** Moves the random inputs to where the function is defined and smooth. */
  readonly prepare?: (value: number) => number;
}

const positive = (value: number): number => Math.abs(value) + 0.5;
const awayFromZero = (value: number): number => value + Math.sign(value) * 0.1;
/** Values at least 0.1 apart, so that no step changes which is the largest. */
const distinct = () => {
  let count = 0;
  return (value: number): number => ((count++ * 7) % 33) / 10 + value * 0.01;
};
const angles = ops.rotaryAngles(3, 4);
const rows = (graph: Graph): Value => graph.integers([2, 0, 2, 1]);

const statistics = (graph: Graph, channels = 2): ops.RunningStatistics => ({
  mean: graph.constant(Array.from({ length: channels }, (_, channel) => 0.3 * channel)),
  variance: graph.constant(Array.from({ length: channels }, (_, channel) => 0.5 + channel)),
});

const cases: Readonly<Record<string, Case>> = {
  'add broadcasts': { shapes: [[2, 3], [3]], build: (a, b) => ops.add(need(a), need(b)) },
  'subtract broadcasts': {
    shapes: [
      [2, 1],
      [2, 3],
    ],
    build: (a, b) => ops.subtract(need(a), need(b)),
  },
  'multiply broadcasts': {
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: (a, b) => ops.multiply(need(a), need(b)),
  },
  divide: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    build: (a, b) => ops.divide(need(a), need(b)),
    prepare: positive,
  },
  scale: { shapes: [[5]], build: (a) => ops.scale(need(a), -3) },
  negate: { shapes: [[5]], build: (a) => ops.negate(need(a)) },
  exponential: { shapes: [[5]], build: (a) => ops.exponential(need(a)) },
  logarithm: { shapes: [[5]], build: (a) => ops.logarithm(need(a)), prepare: positive },
  squareRoot: { shapes: [[5]], build: (a) => ops.squareRoot(need(a)), prepare: positive },
  reciprocal: { shapes: [[5]], build: (a) => ops.reciprocal(need(a)), prepare: positive },
  tanh: { shapes: [[5]], build: (a) => ops.tanh(need(a)) },
  sigmoid: { shapes: [[5]], build: (a) => ops.sigmoid(need(a)) },
  relu: { shapes: [[8]], build: (a) => ops.relu(need(a)), prepare: awayFromZero },
  silu: { shapes: [[8]], build: (a) => ops.silu(need(a)) },
  where: {
    shapes: [[2, 3], [3]],
    build: (a, b) =>
      ops.where(need(a).graph.booleans([true, false, true, false, false, true], [2, 3]), need(a), need(b)),
  },
  reshape: { shapes: [[2, 3]], build: (a) => ops.reshape(need(a), [3, 2]) },
  transpose: { shapes: [[2, 3, 4]], build: (a) => ops.transpose(need(a), [2, 0, 1]) },
  slice: { shapes: [[2, 5]], build: (a) => ops.slice(need(a), 1, 1, 4) },
  concat: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (a, b) => ops.concat([need(a), need(b), need(a)], 1),
  },
  'split, all parts used': {
    shapes: [[2, 5]],
    build: (a) => {
      const [first, second] = ops.split(need(a), 1, [3, 2]);
      return ops.multiply(ops.slice(need(first), 1, 0, 2), need(second));
    },
  },
  'split, one part unused': { shapes: [[4, 2]], build: (a) => need(ops.split(need(a), 0, [1, 3])[1]) },
  expand: { shapes: [[2, 1]], build: (a) => ops.expand(need(a), [3, 2, 4]) },
  'sum drops its axes': { shapes: [[2, 3, 4]], build: (a) => ops.sum(need(a), [0, 2]) },
  'sum keeps its axes': { shapes: [[2, 3, 4]], build: (a) => ops.sum(need(a), [1], true) },
  mean: { shapes: [[2, 4]], build: (a) => ops.mean(need(a), [1]) },
  softmax: { shapes: [[3, 4]], build: (a) => ops.softmax(need(a)) },
  'matmul of tables': {
    shapes: [
      [3, 4],
      [4, 2],
    ],
    build: (a, b) => ops.matmul(need(a), need(b)),
  },
  'matmul of a batch by a table': {
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    build: (a, b) => ops.matmul(need(a), need(b)),
  },
  'matmul of batches broadcasts': {
    shapes: [
      [2, 1, 3, 4],
      [2, 4, 2],
    ],
    build: (a, b) => ops.matmul(need(a), need(b)),
  },
  gatherRows: { shapes: [[3, 4]], build: (a) => ops.gatherRows(need(a), rows(need(a).graph)) },
  crossEntropy: {
    shapes: [[4, 5]],
    build: (a) =>
      ops.crossEntropy(need(a), need(a).graph.integers([1, 4, 0, 2]), need(a).graph.constant([1, 0, 2, 0.5])),
  },
  rmsNorm: { shapes: [[3, 4], [4]], build: (a, b) => ops.rmsNorm(need(a), need(b)) },
  rotate: {
    shapes: [[2, 3, 4]],
    build: (a) => {
      const { graph } = need(a);
      return ops.rotate(need(a), graph.constant(angles.cosines, [3, 2]), graph.constant(angles.sines, [3, 2]));
    },
  },
  'convolve, padded': {
    shapes: [
      [2, 2, 4, 3],
      [3, 2, 3, 3],
    ],
    build: (a, b) => ops.convolve(need(a), need(b), { padding: 1 }),
  },
  'convolve, with a stride that leaves places over': {
    shapes: [
      [2, 2, 6, 7],
      [2, 2, 3, 2],
    ],
    build: (a, b) => ops.convolve(need(a), need(b), { stride: 2, padding: 1 }),
  },
  maxPool: { shapes: [[2, 2, 4, 4]], build: (a) => ops.maxPool(need(a), 2), prepare: distinct() },
  averagePool: { shapes: [[2, 2, 4, 6]], build: (a) => ops.averagePool(need(a), 2) },
  'batchNormTraining, over four axes': {
    shapes: [[4, 2, 2, 2], [2], [2]],
    build: (a, b, c) => ops.batchNormTraining(need(a), need(b), need(c), statistics(need(a).graph)).output,
  },
  'batchNormTraining, over two axes': {
    shapes: [[6, 3], [3], [3]],
    build: (a, b, c) => ops.batchNormTraining(need(a), need(b), need(c), statistics(need(a).graph, 3)).output,
  },
  'batchNorm, by what was before': {
    shapes: [[3, 2, 2, 2], [2], [2]],
    build: (a, b, c) => ops.batchNorm(need(a), need(b), need(c), statistics(need(a).graph)),
  },
  flatten: { shapes: [[2, 3, 2]], build: (a) => ops.flatten(need(a)) },
  'a value used twice adds up': { shapes: [[3]], build: (a) => ops.multiply(need(a), ops.add(need(a), need(a))) },
};

describe('gradients agree with central differences', () => {
  it.each(Object.entries(cases))('%s', async (_, example) => {
    const { inputs, program } = await prepare(example);
    const result = await program.run(inputs, signal);
    for (const [name, input] of Object.entries(inputs)) {
      const analytic = result[`d_${name}`]?.data as Float32Array;
      const numeric = await centralDifferences(program, inputs, name, input);
      const largest = Math.max(...numeric.map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      numeric.forEach((slope, index) => {
        const difference = Math.abs(slope - (analytic[index] ?? Number.NaN));
        expect(difference, `${name}[${index}] ${slope} ${analytic[index]}`).toBeLessThan(
          absoluteTolerance + relativeTolerance * largest,
        );
      });
    }
  });

  it('refuses a value that does not reach the loss', () => {
    const graph = new Graph();
    const [used, unused] = [graph.input('used', [2]), graph.input('unused', [2])];
    expect(() => gradients(ops.sum(used, [0]), [unused])).toThrowError(
      expect.objectContaining({ code: 'NOT_DIFFERENTIABLE' }),
    );
  });

  it('refuses a loss that is not a scalar', () => {
    const input = new Graph().input('x', [2]);
    expect(() => gradients(ops.scale(input, 2), [input])).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});

afterEach(async () => {
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
});

async function prepare({
  shapes,
  build,
  prepare = (value) => value,
}: Case): Promise<{ inputs: Tensors; program: Program }> {
  const random = seededUnit(7);
  const graph = new Graph();
  const inputs: Record<string, Tensor> = {};
  const values = shapes.map((shape, index) => {
    const data = Float32Array.from({ length: ops.sizeOf(shape) }, () => prepare(random() * 2 - 1));
    inputs[`x${index}`] = { type: 'float32', shape, data };
    return graph.input(`x${index}`, shape);
  });
  const result = build(...values);
  const size = ops.sizeOf(result.shape);
  const weights = graph.constant(Float32Array.from({ length: size }, () => random() * 2 - 1));
  const loss = ops.sum(ops.multiply(ops.reshape(result, [size]), weights), [0]);
  graph.output('loss', loss);
  gradients(loss, values).forEach((gradient, index) => graph.output(`d_x${index}`, gradient));
  const program = await runtime.load(graph.toModel(), { signal });
  programs.push(program);
  return { inputs, program };
}

async function centralDifferences(program: Program, inputs: Tensors, name: string, input: Tensor): Promise<number[]> {
  const lossAt = async (index: number, change: number): Promise<number> => {
    const data = Float32Array.from(input.data as Float32Array);
    data[index] = (data[index] ?? 0) + change;
    const result = await program.run({ ...inputs, [name]: { ...input, data } }, signal);
    return Number(result['loss']?.data[0]);
  };
  const slopes: number[] = [];
  for (let index = 0; index < input.data.length; index += 1) {
    slopes.push(((await lossAt(index, step)) - (await lossAt(index, -step))) / (2 * step));
  }
  return slopes;
}

function need(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the case has too few shapes');
  return value;
}
