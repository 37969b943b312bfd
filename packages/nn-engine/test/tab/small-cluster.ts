import type { Runtime, Tensor, Tensors } from '@peerai/core-protocol';

const scalar = (value: number): Tensor => ({ type: 'float32', shape: [], data: Float32Array.of(value) });
const [process, learn] = [0n, 3n];

/** Twelve steps of a stream, a lesson, and twelve more: what each step's nodes did and gave. The file has two inputs and two outputs. */
export async function clusterStream(
  runtime: Runtime,
  file: Uint8Array,
): Promise<{ fired: number[]; value: number[] }[]> {
  const { signal } = new AbortController();
  await using program = await runtime.load(file, { signal, carry: { next: 'state' } });
  const steps: { fired: number[]; value: number[] }[] = [];
  for (let turn = 0; turn < 25; turn += 1) {
    const isLesson = turn === 12;
    const feeds: Tensors = {
      restore: scalar(turn === 0 ? 1 : 0),
      mode: { type: 'int64', shape: [], data: BigInt64Array.of(isLesson ? learn : process) },
      input: { type: 'float32', shape: [2], data: Float32Array.of(1.3 * Math.sin(turn), Math.cos(2 * turn)) },
      error: { type: 'float32', shape: [2], data: Float32Array.of(0.8, -0.8) },
      dt: scalar(1),
      rate: scalar(0.5),
    };
    const { fired, value } = await program.run(feeds, signal);
    if (isLesson) continue;
    steps.push({ fired: Array.from(fired?.data ?? [], Number), value: Array.from(value?.data ?? [], Number) });
  }
  return steps;
}
