import { batchFrom, lossTrainer, rowsOf, steadyRateAt } from './model.ts';
import { type Place, seedOf } from './together.ts';

/** What one trainer learns before the rounds begin. */
export interface Lessons {
  readonly steps: number;
  /** Rows of a step from each part of the text. */
  readonly rows: number;
}

/** Beyond the steps of any run: none of these batches comes again in the rounds. */
const firstSeed = 50_000;
/** Steps between two lines of progress. */
const toldEach = 500;

/**
 * Weights that a group goes on from: one trainer's, with all data, at a rate that has not fallen, as in the middle of a longer training.
 *
 * @returns float32, little-endian, as base64, so that they can be kept in a file of text.
 */
export async function teachBase({ steps, rows }: Lessons, { text, signal, log }: Place): Promise<string> {
  await using trainer = await lossTrainer(rows * text.parts.length, signal);
  for (let step = 0; step < steps; step += 1) {
    const taken = text.parts.flatMap((part, index) => rowsOf(part, rows, seedOf(index, firstSeed + step)));
    const { loss } = await trainer.step(batchFrom(taken), steadyRateAt(step), signal);
    if ((step + 1) % toldEach === 0) log(`the base, step ${step + 1} of ${steps}: ${loss.toFixed(4)} nats, learning`);
  }
  const { buffer, byteOffset, byteLength } = await trainer.weights();
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

export function weightsOf(base: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base, 'base64')).buffer);
}
