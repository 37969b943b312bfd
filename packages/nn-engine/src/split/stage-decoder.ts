import { PeerAiError, type Tensor } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Decoder, DecoderSession } from '../nano/plain.ts';
import type { StageAnswer } from './decoding.ts';
import type { PlacedStage } from './pipeline.ts';

/**
 * A model in stages as what answers token by token. Each stage keeps the keys and values of its own layers, so that only the state of new tokens goes from one
 * to the next; tokens whose scores nobody wants wait for the next one that somebody does. The stages were opened to decode, in rows of one.
 *
 * Throws INVALID_OPTION; steps throw what a runner throws.
 */
export function stageDecoder(placed: readonly PlacedStage[]): Decoder {
  const model = placed[0]?.stage.model;
  if (model?.type !== 'language-model' || model.batch.rows !== 1 || model.batch.learned !== 1)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Stages that answer are of one row and one learned place.');
  const { length } = model.batch;
  return {
    name: 'stages',
    open: async (signal = new AbortController().signal) =>
      sessionOver(
        placed.map(({ runner }) => runner.begin()),
        length,
        signal,
      ),
  };
}

function sessionOver(answers: readonly StageAnswer[], length: number, signal: AbortSignal): DecoderSession {
  let past = 0;
  let waiting: number[] = [];
  return {
    async step(token, wantScores) {
      if (past + waiting.length >= length) throw new RangeError(`the context of ${length} tokens is full`);
      waiting.push(token);
      if (!wantScores) return undefined;
      const data = BigInt64Array.from(waiting, BigInt);
      let rows: Tensor = { type: 'int64', shape: [data.length], data };
      for (const answer of answers) rows = await answer.extend(past, rows, signal);
      past += data.length;
      waiting = [];
      return Float32Array.from(rows.data, Number);
    },
    async close() {
      for (const answer of answers) answer[Symbol.dispose]();
    },
  };
}
