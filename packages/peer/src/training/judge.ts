import type { Runtime } from '@peerai/core-protocol';
import type { Task } from './task.ts';
import type { HeldOut } from './training.schema.ts';

/** Measures weights on this peer's own held-out data. */
export interface Judge extends AsyncDisposable {
  measure(weights: Float32Array, signal: AbortSignal): Promise<HeldOut>;
}

/** Throws what loading the graph throws. */
export async function openJudge(
  runtime: Runtime,
  task: Pick<Task, 'measuringGraph' | 'measured' | 'judge'>,
  options: { readonly threads: number; readonly signal: AbortSignal },
): Promise<Judge> {
  const program = await runtime.load(task.measuringGraph(), options);
  return {
    async measure(weights, signal) {
      const w = { type: 'float32', shape: [weights.length], data: weights } as const;
      return task.judge(await program.run({ ...task.measured, w }, signal));
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
