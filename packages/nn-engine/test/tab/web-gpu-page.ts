/** What runs in the tab of `web-gpu.test.ts`: asked by name, answers plain values. */
import type { Tensor } from '@peerai/core-protocol';
import { add, Graph, reshape, split } from '@peerai/nn-engine';
import { createBrowserRuntime, type TabEngine } from '@peerai/nn-engine/browser';
import { type Learned, learn } from './deep-model.ts';

const { signal } = new AbortController();
const engines: TabEngine[] = [];
const runtimeWith = (worker: string) =>
  createBrowserRuntime({
    worker,
    wasm: { module: '/ort.wasm.min.mjs', loader: '/ort-wasm-simd-threaded.mjs', wasm: '/ort-wasm-simd-threaded.wasm' },
    webGpu: {
      module: '/ort.webgpu.min.mjs',
      loader: '/ort-wasm-simd-threaded.asyncify.mjs',
      wasm: '/ort-wasm-simd-threaded.asyncify.wasm',
    },
    onEngine: (engine) => engines.push(engine),
  });
const runtime = runtimeWith('/worker.js');

const asked = {
  async learn(): Promise<Learned & { readonly engines: readonly TabEngine[] }> {
    engines.length = 0;
    return { ...(await learn(runtime, signal)), engines: [...engines] };
  },

  /** A vector taken apart into more pieces than a shader may have, and a count that is carried, of three runs. */
  async tooManyParts(): Promise<unknown> {
    engines.length = 0;
    const graph = new Graph();
    const [x, total] = [graph.input('x', [parts]), graph.input('total', [1])];
    const pieces = split(
      x,
      0,
      Array.from({ length: parts }, () => 1),
    );
    graph.output('last', reshape(pieces.at(-1) ?? x, [1]));
    graph.output('total.next', pieces.reduce(add, total));
    await using program = await runtime.load(graph.toModel(), { signal, carry: { 'total.next': 'total' } });
    await program.write('total', vector([100]));
    const values = Array.from({ length: parts }, (_, index) => index);
    let last: Tensor | undefined;
    for (let run = 0; run < 3; run += 1) ({ last } = await program.run({ x: vector(values) }, signal));
    const sum = await program.read('total');
    return { last: Number(last?.data[0]), total: Number(sum.data[0]), engines: [...engines] };
  },

  /** What a run, a reading and one more run give after the device was lost between two runs; each has as long as `patienceMs`. */
  async lost(patienceMs: number): Promise<unknown> {
    engines.length = 0;
    const graph = new Graph();
    const next = add(graph.input('total', [1]), graph.input('step', [1]));
    graph.output('total.next', next);
    graph.output('shown', reshape(next, [1, 1]));
    await using program = await runtimeWith('/losing-worker.js').load(graph.toModel(), {
      signal,
      carry: { 'total.next': 'total' },
    });
    const run = async (): Promise<unknown> =>
      Number((await program.run({ step: vector([2]) }, signal))['shown']?.data[0]);
    const before = await run();
    const said = await lose();
    const outcomes: unknown[] = [];
    for (const work of [run, () => program.read('total'), run])
      outcomes.push(await Promise.race([codeOf(work()), pause(patienceMs)]));
    return { before, said, outcomes, engines: [...engines] };
  },
};
const parts = 12;

async function lose(): Promise<unknown> {
  const line = new BroadcastChannel('lose');
  const answer = new Promise((resolve) => {
    line.addEventListener('message', ({ data }) => resolve(data), { once: true });
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel, not a window
  line.postMessage('lose');
  const said = await answer;
  line.close();
  return said;
}
const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(() => resolve('hangs'), ms));
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (value) => ({ value }),
    ({ code }: { readonly code?: unknown }) => code,
  );

const vector = (values: readonly number[]): Tensor => ({
  type: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

export type GpuAsked = typeof asked;
Object.assign(globalThis, { asked });
