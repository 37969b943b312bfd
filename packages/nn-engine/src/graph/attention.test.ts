import { describe, expect, it } from 'vitest';

import { createNodeRuntime } from '../node/runtime.ts';
import { gaussian, seededUnit } from '../train/random.ts';
import {
  add,
  causalAttention,
  Graph,
  gradients,
  matmul,
  multiply,
  softmax,
  sum,
  swapLast,
  type Value,
} from './index.ts';

const { signal } = new AbortController();
const runtime = createNodeRuntime();
const [rows, heads, width] = [2, 3, 4];
/** What another order of additions may change of a gradient whose largest elements are about 10, in float32. */
const tolerance = 2e-5;

const whole = (query: Value, key: Value, value: Value, mask: Value): Value =>
  matmul(softmax(add(matmul(query, swapLast(key)), mask)), value);

describe('causal attention', () => {
  it.each([1, 3, 63, 64, 67, 130])(
    'of %i places is what softmax over all of them gives, and so is each gradient',
    async (length) => {
      const graph = new Graph();
      const shape = [rows, heads, length, width];
      const inputs = ['query', 'key', 'value'].map((name) => graph.input(name, shape)) as [Value, Value, Value];
      const mask = graph.input('mask', [rows, 1, length, length]);
      const weights = graph.constant(numbers(rows * heads * length * width, 5), shape);
      for (const [name, attend] of Object.entries({ cut: causalAttention, whole })) {
        const output = attend(...inputs, mask);
        const loss = sum(multiply(output, weights), [0, 1, 2, 3]);
        graph.output(`${name} output`, output);
        gradients(loss, inputs).forEach((gradient, index) => graph.output(`${name} d${index}`, gradient));
      }
      await using program = await runtime.load(graph.toModel(), { signal });
      const tensor = (seed: number) =>
        ({ type: 'float32', shape, data: numbers(rows * heads * length * width, seed) }) as const;
      const feeds = { query: tensor(1), key: tensor(2), value: tensor(3), mask: packed(length) };
      const results = await program.run(feeds, signal);
      for (const part of ['output', 'd0', 'd1', 'd2']) {
        const [cut, plain] = [results[`cut ${part}`], results[`whole ${part}`]].map((one) => one?.data as Float32Array);
        expect(cut?.some((value) => value !== 0) || length === 1, part).toBe(true);
        const apart = Math.max(...(plain ?? []).map((value, index) => Math.abs(value - (cut?.[index] ?? NaN))));
        expect(apart, part).toBeLessThan(tolerance);
      }
    },
  );

  it('refuses keys that are not as long as the queries', () => {
    const graph = new Graph();
    const [query, key] = [graph.input('query', [1, 4, 2]), graph.input('key', [1, 5, 2])];
    const mask = graph.input('mask', [4, 4]);
    expect(() => causalAttention(query, key, query, mask)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });
});

function numbers(count: number, seed: number): Float32Array {
  const random = seededUnit(seed);
  return Float32Array.from({ length: count }, () => gaussian(random));
}

/** Two segments in the first row, one in the second; later places are hidden. */
function packed(length: number) {
  const data = Float32Array.from({ length: rows * length * length }, (_, index) => {
    const [row, place, other] = [Math.floor(index / length ** 2), Math.floor(index / length) % length, index % length];
    const border = row === 0 ? Math.floor(length / 3) : 0;
    return other <= place && other >= border === place >= border ? 0 : -1e9;
  });
  return { type: 'float32', shape: [rows, 1, length, length], data } as const;
}
