import {
  aggregate,
  type DeltaBits,
  firstState,
  type OuterStep,
  outerStep,
  packDelta,
  unpackDelta,
} from '@peerai/nn-engine/rounds';
import { seedOf } from './together.ts';
import type { Text } from './corpus.ts';
import { batchFrom, firstWeights, learningRateAt, lossTrainer, rowsOf } from './model.ts';

/** Rounds without a network: what of a run's arithmetic costs loss. */
export interface Averaged {
  readonly steps: number;
  readonly localSteps: number;
  /** Rows of one member's step. */
  readonly rows: number;
  readonly outer: OuterStep;
  /** Bits of a member's update, with what packing left out carried over, and of what goes back, without; unpacked float32 unless said. */
  readonly packed?: { readonly up: DeltaBits; readonly down: DeltaBits };
}

/** The weights after all rounds, each member having learned from its own part of the text. */
export async function trainAveraged(plan: Averaged, text: Text, signal: AbortSignal): Promise<Float32Array> {
  const { steps, localSteps, rows, outer, packed } = plan;
  await using stack = new AsyncDisposableStack();
  const members: { trainer: Awaited<ReturnType<typeof lossTrainer>>; residual?: Float32Array }[] = [];
  for (const _ of text.parts) members.push({ trainer: stack.use(await lossTrainer(rows, signal)) });
  let state = firstState(firstWeights());
  for (let round = 0; round < steps / localSteps; round += 1) {
    const updates = [];
    for (const [index, member] of members.entries()) {
      const { trainer } = member;
      await trainer.load(state.weights);
      for (let local = 0; local < localSteps; local += 1) {
        const step = round * localSteps + local;
        const taken = rowsOf(text.parts[index] ?? new Uint8Array(), rows, seedOf(index, step));
        await trainer.step(batchFrom(taken), learningRateAt(step, steps), signal);
      }
      const after = await trainer.weights();
      let delta: Float32Array = state.weights.map((value, place) => value - (after[place] ?? 0));
      if (packed !== undefined) {
        const { bytes, residual } = packDelta(delta, packed.up, member.residual);
        member.residual = residual;
        delta = unpackDelta(bytes, delta.length);
      }
      updates.push({ peer: `${index}`, delta });
    }
    let { delta } = aggregate(updates, state.weights.length, { rule: 'trimmed-mean', liars: 0 });
    if (packed !== undefined) delta = unpackDelta(packDelta(delta, packed.down).bytes, delta.length);
    state = outerStep(state, delta, outer);
  }
  return state.weights;
}
