import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { Decoder } from '../nano/plain.ts';
import { rowOf } from './answer.ts';
import { type PlacedStage, runStages } from './pipeline.ts';

/**
 * A model in stages as what answers token by token. Tokens are computed when scores are wanted, all before them again: stages keep no state, so one may be
 * replaced in the middle. The stages are of one row and one learned place. Throws INVALID_OPTION; steps throw what a runner throws.
 */
export function stageDecoder(placed: readonly PlacedStage[]): Decoder {
  const model = placed[0]?.stage.model;
  if (model?.type !== 'language-model' || model.batch.rows !== 1 || model.batch.learned !== 1)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Stages that answer are of one row and one learned place.');
  const { length } = model.batch;
  return {
    name: 'stages',
    async open(signal = new AbortController().signal) {
      const tokens: number[] = [];
      return {
        async step(token, wantScores) {
          if (tokens.length >= length) throw new RangeError(`the context of ${length} tokens is full`);
          tokens.push(token);
          if (!wantScores) return undefined;
          return Float32Array.from((await runStages(placed, rowOf(tokens, length), signal)).data, Number);
        },
        close: async () => undefined,
      };
    },
  };
}
