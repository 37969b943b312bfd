import type { Clock } from '@peerai/core-protocol';

import type { Corpus } from '../corpus-types.ts';
import { createEngine, type NanoEngine } from '../engine.ts';
import { evaluateNano, type NanoEvaluation } from '../evaluate.ts';
import { decodeModelFile, encodeModelFile, type Gate, type NanoModelFile } from '../model-file.ts';
import { nanoFrom } from '../nano.ts';
import type { NanoCheckpoint } from './training.ts';
import { tuneGate } from './tune.ts';

export interface Exported {
  readonly file: Uint8Array;
  readonly gate: Gate;
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
    questions: corpus.intents.map(({ question }) => question),
    refusal: corpus.refusal,
    weights,
    gate: { minimum: 0 },
  };
  const shipped = await createEngine(decodeModelFile(encodeModelFile(open)));
  const gate = tuneGate(shipped.listen, corpus, seed);
  const withGate = (engine: NanoEngine): NanoEngine => ({ ...engine, file: { ...engine.file, gate } });
  const judge = (engine: NanoEngine): Promise<NanoEvaluation> =>
    evaluateNano(
      nanoFrom(async () => withGate(engine), clock),
      { corpus, seed },
    );
  return {
    file: encodeModelFile({ ...open, gate }),
    gate,
    evaluation: await judge(shipped),
    float: await judge(await createEngine(open)),
  };
}
