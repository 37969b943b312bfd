/** What runs in the tab of `runtime.test.ts`: asked by name, answers plain values. */
import type { Program, Runtime, Tensor } from '@peerai/core-protocol';
import { createTrainer, Graph, add, matmul, scale } from '@peerai/nn-engine';
import { type BrowserRuntimeOptions, createBrowserRuntime } from '@peerai/nn-engine/browser';
import { clusterStream } from './small-cluster.ts';
import { smallBatch, smallStart } from './small-model.ts';

const wasm = {
  module: '/ort.wasm.min.mjs',
  loader: '/ort-wasm-simd-threaded.mjs',
  wasm: '/ort-wasm-simd-threaded.wasm',
};
const served: BrowserRuntimeOptions = { worker: '/worker.js', wasm };
const { signal } = new AbortController();
const runtime = createBrowserRuntime(served);

const asked = {
  /** Losses of three steps of the graph that the server has, with so many threads. */
  async losses(threads: number): Promise<number[]> {
    const graph = new Uint8Array(await (await fetch('/graph.onnx')).arrayBuffer());
    await using trainer = await createTrainer({ runtime }, { graph, initial: smallStart(), threads, signal });
    const losses: number[] = [];
    for (const step of [0, 1, 2]) losses.push((await trainer.step(smallBatch(step), 0.01, signal)).loss);
    return losses;
  },

  /** What a gating cluster's file gives for a stream of inputs, as `clusterStream` feeds it. */
  async cluster(): Promise<unknown> {
    const file = new Uint8Array(await (await fetch('/cluster.onnx')).arrayBuffer());
    return await clusterStream(runtime, file);
  },

  /** Turns that the page had while a product of many matrices was computed. */
  async turnsWhileComputing(): Promise<number> {
    await using program = await heavy();
    let [turns, computing] = [0, true];
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      turns += 1;
      if (computing) port2.postMessage(0);
    });
    port1.start();
    port2.postMessage(0);
    await program.run({ x: square() }, signal);
    computing = false;
    port1.close();
    return turns;
  },

  /** What an aborted run throws, and the count after it and one more. */
  async abortedRun(): Promise<unknown> {
    await using program = await heavy();
    const controller = new AbortController();
    const run = program.run({ x: square() }, controller.signal);
    controller.abort(new Error('the visitor left'));
    const code = await codeOf(run);
    const before = floats(await program.read('total'));
    await program.run({ x: square() }, signal);
    return { code, before, after: floats(await program.read('total')) };
  },

  /** What a run throws whose program is disposed while it is computed. */
  async disposedInside(): Promise<unknown> {
    const program = await heavy();
    const run = codeOf(program.run({ x: square() }, signal));
    await program[Symbol.asyncDispose]();
    return [await run, await codeOf(program.run({ x: square() }, signal))];
  },

  async state(): Promise<unknown> {
    await using program = await load(counterGraph(), { 'total.next': 'total' });
    await program.write('total', vector([10, 20]));
    await program.run({ step: vector([1, 2]) }, signal);
    const result = await program.run({ step: vector([1, 2]) }, signal);
    return { names: Object.keys(result), shown: floats(result['shown']), total: floats(await program.read('total')) };
  },

  /** Codes, and what the details say, of what cannot be loaded or run. */
  async refusals(): Promise<unknown> {
    await using program = await load(counterGraph(), { 'total.next': 'total' });
    const graph = counterGraph().toModel();
    const loading = (options: BrowserRuntimeOptions, bytes = graph, more = {}): Promise<unknown> =>
      problemOf(createBrowserRuntime(options).load(bytes, { signal, ...more }));
    return {
      shape: await problemOf(program.run({ step: vector([1, 2, 3]) }, signal)),
      model: await loading(served, Uint8Array.of(1, 2, 3)),
      memory: await loading(served, graph, { memoryBytesMax: 1 }),
      worker: await loading({ ...served, worker: '/absent-worker.js' }),
      module: await loading({ ...served, wasm: { ...wasm, module: '/absent.mjs' } }),
      loader: await loading({ ...served, wasm: { ...wasm, loader: '/absent-loader.mjs' } }),
      wasm: await loading({ ...served, wasm: { ...wasm, wasm: '/absent.wasm' } }),
    };
  },

  /** Whether a tab without an adapter runs in wasm though WebGPU was offered, and says why; the address of its build is none. */
  async withoutAdapter(): Promise<unknown> {
    const absent = { module: '/absent.mjs', loader: '/absent.mjs', wasm: '/absent.wasm' };
    const engines: unknown[] = [];
    const offered = createBrowserRuntime({ ...served, webGpu: absent, onEngine: (engine) => engines.push(engine) });
    await using program = await load(counterGraph(), {}, offered);
    const { shown } = await program.run({ total: vector([1, 1]), step: vector([1, 2]) }, signal);
    return { shown: floats(shown), engines };
  },
};

export type Asked = typeof asked;
Object.assign(globalThis, { asked });

function counterGraph(): Graph {
  const graph = new Graph();
  const next = add(graph.input('total', [2]), graph.input('step', [2]));
  graph.output('total.next', next);
  graph.output('shown', scale(next, 2));
  return graph;
}

/** About a tenth of a second of matrix products, and a count of runs. */
async function heavy(): Promise<Program> {
  const graph = new Graph();
  const [x, total] = [graph.input('x', [512, 512]), graph.input('total', [1])];
  let product = x;
  for (let index = 0; index < 10; index += 1) product = matmul(product, x);
  graph.output('product', product);
  graph.output('total.next', add(total, graph.constant([1])));
  return await load(graph, { 'total.next': 'total' });
}

async function load(graph: Graph, carry: Readonly<Record<string, string>>, from: Runtime = runtime): Promise<Program> {
  return await from.load(graph.toModel(), { signal, carry });
}

const square = (): Tensor => ({ type: 'float32', shape: [512, 512], data: new Float32Array(512 * 512) });
const vector = (values: readonly number[]): Tensor => ({
  type: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const floats = (tensor: Tensor | undefined): number[] => Array.from((tensor?.data ?? []) as Float32Array);

interface Problem {
  readonly code?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
async function problemOf(work: Promise<unknown>): Promise<Problem> {
  return await work.then(
    () => ({}),
    ({ code, details = {} }: Problem) => ({ ...(code !== undefined && { code }), details }),
  );
}
const codeOf = async (work: Promise<unknown>): Promise<string> => (await problemOf(work)).code ?? 'none';
