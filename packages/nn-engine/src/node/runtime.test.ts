import { setTimeout as sleep } from 'node:timers/promises';

import type { Program, Tensor } from '@peerai/core-protocol';
import { afterEach, describe, expect, it } from 'vitest';

import { add, concat, Graph, matmul, scale } from '../graph/index.ts';
import { limits } from '../limits.ts';
import { createNodeRuntime } from './runtime.ts';

const { signal } = new AbortController();
const runtime = createNodeRuntime();
const programs: Program[] = [];

afterEach(async () => {
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
});

describe('a program on ONNX Runtime', () => {
  it('runs what was built and keeps what is carried', async () => {
    const program = await counter();
    expect(floats(await program.read('total'))).toEqual([0, 0]);
    await program.run({ step: vector([1, 2]) }, signal);
    const result = await program.run({ step: vector([1, 2]) }, signal);
    expect(Object.keys(result)).toEqual(['shown']);
    expect(floats(result['shown'])).toEqual([4, 8]);
    expect(floats(await program.read('total'))).toEqual([2, 4]);
  });

  it('takes written state and gives copies, not its own memory', async () => {
    const program = await counter();
    const mine = vector([10, 20]);
    await program.write('total', mine);
    (mine.data as Float32Array)[0] = 99;
    const copy = await program.read('total');
    (copy.data as Float32Array)[1] = 99;
    expect(floats(await program.read('total'))).toEqual([10, 20]);
  });

  it('carries state whose size grows', async () => {
    const graph = new Graph();
    const past = graph.input('past', ['length', 2]);
    const next = graph.input('next', [1, 2]);
    graph.output('past.next', concat([past, next], 0, 'longer'));
    const program = await load(graph, { 'past.next': 'past' });
    for (let index = 0; index < 3; index += 1) {
      await program.run({ next: { type: 'float32', shape: [1, 2], data: Float32Array.of(index, -index) } }, signal);
    }
    const state = await program.read('past');
    expect(state.shape).toEqual([3, 2]);
    expect(floats(state)).toEqual([0, -0, 1, -1, 2, -2]);
  });

  it('runs one after the other, in order', async () => {
    const program = await counter();
    const results = await Promise.all([1, 2, 3].map((value) => program.run({ step: vector([value, 0]) }, signal)));
    expect(results.map((result) => floats(result['shown'])[0])).toEqual([2, 6, 12]);
  });

  it('leaves the event loop free', async () => {
    const program = await load(heavy());
    await program.run({ x: square() }, signal);
    let [ticks, worstMs, last] = [0, 0, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      ticks += 1;
      worstMs = Math.max(worstMs, now - last);
      last = now;
    }, 2);
    const start = performance.now();
    await program.run({ x: square() }, signal);
    const runMs = performance.now() - start;
    clearInterval(timer);
    expect(runMs).toBeGreaterThan(50);
    expect(ticks).toBeGreaterThan(10);
    expect(worstMs).toBeLessThan(runMs / 2);
  });

  it('an aborted run does not count, and the next one does', async () => {
    const graph = heavy();
    const total = graph.input('total', [1]);
    graph.output('total.next', add(total, graph.constant([1])));
    const program = await load(graph, { 'total.next': 'total' });
    const controller = new AbortController();
    const run = program.run({ x: square() }, controller.signal);
    await sleep(10);
    controller.abort(new Error('closed by the client'));
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
    // At once, while the worker is still inside the aborted one.
    await program.run({ x: square() }, signal);
    expect(floats(await program.read('total'))).toEqual([1]);
  });

  it('refuses to start for a signal that fired already', async () => {
    const program = await counter();
    await expect(program.run({ step: vector([1, 1]) }, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    expect(floats(await program.read('total'))).toEqual([0, 0]);
  });

  it('ends a run over its limit, and the program with it', async () => {
    const program = await runtime.load(heavy().toModel(), { signal, runMsMax: 5 });
    programs.push(program);
    await expect(program.run({ x: square() }, signal)).rejects.toMatchObject({ code: 'RUN_LIMIT' });
    await expect(program.run({ x: square() }, signal)).rejects.toMatchObject({ code: 'RUN_LIMIT' });
  });

  it('bounds the runs that wait', async () => {
    const program = await counter();
    const runs = Array.from({ length: limits.programQueueMax }, () => program.run({ step: vector([1, 1]) }, signal));
    await expect(program.run({ step: vector([1, 1]) }, signal)).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    expect(await Promise.all(runs)).toHaveLength(limits.programQueueMax);
  });

  it.each([
    ['a wrong shape', { step: { type: 'float32', shape: [3], data: new Float32Array(3) } }, 'step'],
    ['data that does not fill its shape', { step: { type: 'float32', shape: [2], data: new Float32Array(3) } }, 'step'],
    ['a missing feed', {}, 'step'],
    ['an unknown feed', { step: vector([1, 1]), other: vector([1, 1]) }, 'other'],
    ['a feed that is carried', { step: vector([1, 1]), total: vector([1, 1]) }, 'total'],
  ] as const)('%s is a SHAPE_MISMATCH that names it', async (_, feeds, node) => {
    const program = await counter();
    await expect(program.run(feeds, signal)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH', details: { node } });
  });

  it('a mismatch only seen while running names the node', async () => {
    const graph = new Graph();
    const [left, right] = [graph.input('left', ['n', 2]), graph.input('right', [2, 'm'])];
    graph.output('product', add(matmul(left, right), graph.input('bias', ['n', 'm'])));
    const program = await load(graph);
    const table = (rows: number, columns: number): Tensor => ({
      type: 'float32',
      shape: [rows, columns],
      data: new Float32Array(rows * columns),
    });
    const feeds = { left: table(3, 2), right: table(2, 3), bias: table(2, 2) };
    await expect(program.run(feeds, signal)).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
      details: { node: expect.stringContaining('MatMul_0') },
    });
  });

  it.each([
    ['bytes that are no model', Uint8Array.of(1, 2, 3), {}],
    ['a carry that the graph does not have', counterGraph().toModel(), { carry: { nothing: 'total' } }],
    ['a memory limit it cannot hold', counterGraph().toModel(), { memoryBytesMax: 1 }],
    ['no threads', counterGraph().toModel(), { threads: 0 }],
    ['too many threads', counterGraph().toModel(), { threads: limits.threadsMax + 1 }],
  ] as const)('refuses %s', async (_, graph, options) => {
    await expect(runtime.load(graph, { signal, ...options })).rejects.toMatchObject({ code: 'MODEL_REFUSED' });
  });

  it('a disposed program says so', async () => {
    const program = await counter();
    await program[Symbol.asyncDispose]();
    await expect(program.run({ step: vector([1, 1]) }, signal)).rejects.toMatchObject({ code: 'PROGRAM_CLOSED' });
    await program[Symbol.asyncDispose]();
  });
});

function counterGraph(): Graph {
  const graph = new Graph();
  const [total, step] = [graph.input('total', [2]), graph.input('step', [2])];
  const next = add(total, step);
  graph.output('total.next', next);
  graph.output('shown', scale(next, 2));
  return graph;
}

async function counter(): Promise<Program> {
  return await load(counterGraph(), { 'total.next': 'total' });
}

/** About 0.1 to 0.4 s of matrix products. */
function heavy(): Graph {
  const graph = new Graph();
  const x = graph.input('x', [512, 512]);
  let product = x;
  for (let index = 0; index < 40; index += 1) product = matmul(product, x);
  graph.output('product', product);
  return graph;
}

function square(): Tensor {
  return { type: 'float32', shape: [512, 512], data: new Float32Array(512 * 512) };
}

function vector(values: readonly number[]): Tensor {
  return { type: 'float32', shape: [values.length], data: Float32Array.from(values) };
}

async function load(graph: Graph, carry: Readonly<Record<string, string>> = {}): Promise<Program> {
  const program = await runtime.load(graph.toModel(), { signal, carry });
  programs.push(program);
  return program;
}

function floats(tensor: Tensor | undefined): number[] {
  return Array.from((tensor?.data ?? []) as Float32Array);
}
