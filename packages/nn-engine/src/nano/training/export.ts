import type { Clock, LanguageModel } from '@peerai/core-protocol';

import type { Corpus } from '../corpus-types.ts';
import { createEngine, loadEngine } from '../engine.ts';
import { evaluateNano, type NanoEvaluation } from '../evaluate.ts';
import { encodeModelFile, type NanoModelFile } from '../model-file.ts';
import { nanoFrom } from '../nano.ts';
import type { NanoCheckpoint } from './training.ts';
import { tuneGate, type Tuned } from './tune.ts';

export interface Exported {
  readonly file: Uint8Array;
  readonly tuned: Tuned;
  /** Of what ships. */
  readonly evaluation: NanoEvaluation;
  /** Of the same weights before they became int8. */
  readonly float: NanoEvaluation;
}

/** The shipped file from a trained checkpoint: average weights as int8, then the gate tuned on exactly what ships, then judged. */
export async function exportModel(
  checkpoint: NanoCheckpoint,
  corpus: Corpus,
  clock: Clock,
  seed: number,
): Promise<Exported> {
  const { sizes, vocabulary, corpusHash, average: weights } = checkpoint;
  const open: NanoModelFile = {
    sizes,
    vocabulary,
    corpusHash,
    steps: checkpoint.state.step,
    weights,
    gate: { tokens: 1, minimum: 0 },
  };
  const tuned = await tuneGate(await loadEngine(encodeModelFile(open), corpus), corpus, seed);
  const content: NanoModelFile = { ...open, gate: tuned.gate };
  const file = encodeModelFile(content);
  const judge = (model: LanguageModel): Promise<NanoEvaluation> => evaluateNano(model, { corpus, seed });
  return {
    file,
    tuned,
    evaluation: await judge(nanoFrom(() => loadEngine(file, corpus), clock)),
    float: await judge(nanoFrom(() => createEngine(content, corpus), clock)),
  };
}
