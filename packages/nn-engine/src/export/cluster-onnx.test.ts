import type { Program, Runtime, Tensor, Tensors } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { classError, type Cluster, createCluster, restoreCluster, toyTasks } from '../cluster/index.ts';
import { type Firing, type GatingNode, stepNode } from '../cluster/node.ts';
import { decodeCluster, encodeCluster } from '../cluster/state.ts';
import { createNodeRuntime } from '../node/runtime.ts';
import { seededUnit } from '../train/random.ts';
import { clusterFromOnnx, clusterModes, clusterOnnx } from './index.ts';

const { signal } = new AbortController();
type Mode = keyof typeof clusterModes;
const modes = Object.keys(clusterModes) as Mode[];
const float = (...data: number[]): Tensor => ({ type: 'float32', shape: [], data: Float32Array.from(data) });
const list = (data: ArrayLike<number>): Tensor => ({
  type: 'float32',
  shape: [data.length],
  data: Float32Array.from(data),
});

interface Run {
  readonly mode: Mode;
  readonly input?: readonly number[];
  readonly error?: ArrayLike<number>;
  readonly dt?: number;
  readonly rate?: number;
  readonly restore?: boolean;
}

/** A program of the file whose state stays inside. */
async function loaded(cluster: Cluster, runtime: Runtime = createNodeRuntime()) {
  const saved = cluster.encode();
  const program: Program = await runtime.load(clusterOnnx(saved), { signal, carry: { next: 'state' } });
  return {
    async run({ mode, input = [], error = [], dt = 1, rate = 0.05, restore = false }: Run) {
      const padded = (values: ArrayLike<number>, length: number) =>
        list(Array.from({ length }, (_, index) => values[index] ?? 0));
      const feeds: Tensors = {
        restore: float(restore ? 1 : 0),
        mode: { type: 'int64', shape: [], data: BigInt64Array.of(BigInt(clusterModes[mode])) },
        input: padded(input, cluster.inputs),
        error: padded(error, cluster.outputs),
        dt: float(dt),
        rate: float(rate),
      };
      const { value, fired, votes } = await program.run(feeds, signal);
      return {
        value: Array.from(value?.data as Float32Array),
        fired: Array.from(fired?.data as BigInt64Array, Number),
        votes: Array.from(votes?.data as Float32Array),
      };
    },
    /** The state so far as a cluster of the plain implementation. */
    async cluster(): Promise<Uint8Array> {
      // A run counts when the next question comes.
      const state = await program.read('state');
      return clusterFromOnnx(saved, state.data as Float32Array);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Every number of a saved cluster but what was done in the last step. */
function numbersOf(bytes: Uint8Array): number[] {
  return decodeCluster(bytes).nodes.flatMap((node) => [
    ...node.weights,
    ...node.traces,
    node.bias,
    node.threshold,
    node.interval,
    node.accumulator,
    node.timer,
    node.eligibility,
    node.thresholdRate,
    node.intervalRate,
    node.activity,
    node.uses,
    ...node.edges.flatMap(({ weight, trace, uses }) => [weight, trace, uses]),
  ]);
}
/** Within float32's rounding over one step or a few trials. */
const tolerance = 1e-4;
function expectNear(given: readonly number[], wanted: readonly number[], what: string): void {
  expect(given.length).toBe(wanted.length);
  given.forEach((value, index) => {
    const plain = wanted[index] ?? NaN;
    expect(Math.abs(value - plain), `${what}: ${value} at ${index}, not ${plain}`).toBeLessThan(
      tolerance * Math.max(1, Math.abs(plain)),
    );
  });
}

/** The same with the plain implementation: the state after it, and its nodes. */
function plainly(before: Uint8Array, { mode, input = [], error = [], dt = 1, rate = 0.05 }: Run) {
  const cluster = restoreCluster(before);
  if (mode === 'learn') cluster.learn(error, { rate });
  if (mode === 'process') cluster.process(input, { dt });
  if (mode === 'present') cluster.present(input, { steps: 1 });
  if (mode !== 'hold') return { after: cluster.encode(), nodes: cluster.nodes() as readonly Done[] };
  const state = decodeCluster(before);
  const valueOf = (index: number): number => state.nodes[index]?.value ?? 0;
  for (const node of state.nodes) stepNode(node, { values: input, valueOf, dt: 1, adapt: false });
  return { after: encodeCluster(state), nodes: state.nodes as readonly Done[] };
}
type Done = Pick<GatingNode, 'fired' | 'value'>;
const codeOf = (fired: Firing | undefined): number => (fired === undefined ? 0 : fired === 'threshold' ? 1 : 2);

/** One that has nodes with up to five edges, and nodes that were used. */
function grownCluster(): Cluster {
  const random = seededUnit(11);
  const cluster = createCluster({ nodes: 14, inputs: 3, outputs: 3, nodesMax: 40, seed: 4 });
  for (let step = 0; step < 60; step += 1) cluster.process([3 * random() - 1, random(), random() - 0.3]);
  expect(cluster.split() + cluster.strengthen()).toBeGreaterThan(4);
  cluster.prune();
  return cluster;
}

describe('A gating cluster as an ONNX graph', () => {
  it('steps and learns as the plain implementation does, from every state it comes to', async () => {
    const random = seededUnit(12);
    const grown = grownCluster();
    await using file = await loaded(grown);
    const seen = new Set<string>();
    let before = grown.encode();
    for (let turn = 0; turn < 100; turn += 1) {
      const mode = modes[Math.floor(random() * modes.length)] ?? 'process';
      const input = Array.from({ length: 3 }, () => 4 * random() - 1.8);
      const error = Array.from({ length: 3 }, () => 2 * random() - 1);
      const asked = { mode, input, error, dt: mode === 'process' ? 0.5 + random() : 1, rate: 0.01 + 0.2 * random() };
      const given = await file.run({ ...asked, restore: turn === 0 });
      const wanted = plainly(before, asked);
      before = await file.cluster();
      expectNear(numbersOf(before), numbersOf(wanted.after), `state after ${mode}, turn ${turn}`);
      if (mode === 'learn') continue;
      expect(given.fired).toEqual(wanted.nodes.map(({ fired }) => codeOf(fired)));
      const values = wanted.nodes.map(({ value }) => value);
      expectNear(given.value, values, `values of ${mode}, turn ${turn}`);
      for (const how of given.fired) seen.add(`${mode} ${how}`);
    }
    for (const how of ['process 0', 'process 1', 'process 2', 'hold 1', 'hold 2', 'present 1'])
      expect(seen).toContain(how);
  });

  it('answers and learns whole trials with its state carried, as the plain one beside it', async () => {
    const plain = createCluster({ nodes: 16, inputs: 2, seed: 5 });
    await using file = await loaded(plain);
    const random = seededUnit(6);
    for (let trial = 0; trial < 20; trial += 1) {
      const { input, label } = toyTasks['same-sign'](random);
      let votes: number[] = [];
      for (let step = 0; step < 8; step += 1)
        ({ votes } = await file.run({ mode: step === 0 ? 'present' : 'hold', input, restore: trial + step === 0 }));
      const wanted = plain.present(input);
      expectNear(votes, [...wanted], `votes of trial ${trial}`);
      await file.run({ mode: 'learn', error: classError(votes, label) });
      plain.learn(classError(wanted, label));
    }
    expectNear(numbersOf(await file.cluster()), numbersOf(plain.encode()), 'after 20 trials');
    expect(restoreCluster(await file.cluster()).split()).toBe(plain.split());
  });

  it('begins from the state written into it when it is told to, and from nothing else then', async () => {
    const cluster = grownCluster();
    await using file = await loaded(cluster);
    const input = [1, 0.4, 0.2];
    const first = await file.run({ mode: 'process', input, restore: true });
    const second = await file.run({ mode: 'process', input });
    expect(await file.run({ mode: 'process', input, restore: true })).toEqual(first);
    expect(await file.run({ mode: 'process', input })).toEqual(second);
    expect(second).not.toEqual(first);
  });

  it('of a state that no cluster comes to makes none', () => {
    const saved = createCluster({ nodes: 2, inputs: 1, seed: 1 }).encode();
    for (const state of [
      new Float32Array(),
      new Float32Array(2 * 18).fill(Number.NaN),
      new Float32Array(2 * 18).fill(9),
    ])
      expect(() => clusterFromOnnx(saved, state)).toThrowError(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });
});
