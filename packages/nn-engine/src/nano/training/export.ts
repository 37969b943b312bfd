import type { Corpus } from '../corpus-types.ts';
import { loadEngine } from '../engine.ts';
import { encodeModelFile } from '../model-file.ts';
import type { NanoCheckpoint } from './training.ts';
import { tuneGate, type Tuned } from './tune.ts';

/** The shipped file from a trained checkpoint: average weights as int8, then the gate tuned on exactly what ships. */
export async function exportModel(checkpoint: NanoCheckpoint, corpus: Corpus, seed: number): Promise<{ file: Uint8Array; tuned: Tuned }> {
  const { sizes, vocabulary, corpusHash, average: weights } = checkpoint;
  const content = { sizes, vocabulary, corpusHash, steps: checkpoint.state.step, weights };
  const open = encodeModelFile({ ...content, gate: { tokens: 1, minimum: 0 } });
  const tuned = await tuneGate(await loadEngine(open, corpus), corpus, seed);
  return { file: encodeModelFile({ ...content, gate: tuned.gate }), tuned };
}
