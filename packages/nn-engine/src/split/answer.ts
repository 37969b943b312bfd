import { PeerAiError, type Tensors } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { type PlacedStage, runStages } from './pipeline.ts';

export interface AnswerOptions {
  /** Tokens of the question, at least one. */
  readonly prompt: readonly number[];
  /** Tokens of the answer at the most; it ends earlier where the model's row is full. */
  readonly tokensMax: number;
  /** Takes one token by its scores; the largest unless said. */
  readonly choose?: (scores: Float32Array) => number;
  readonly signal: AbortSignal;
}

/**
 * A language model's answer, token by token. Its stages are of a batch of one row with one learned place. All tokens before are computed again for each
 * new one: stages keep no state, which is why one may be replaced in the middle. Throws INVALID_OPTION, STAGE_LOST, and what a runner throws.
 */
export async function* answerTokens(
  placed: readonly PlacedStage[],
  { prompt, tokensMax, choose = largest, signal }: AnswerOptions,
): AsyncGenerator<number, void, undefined> {
  const model = placed[0]?.stage.model;
  if (model?.type !== 'language-model' || model.batch.rows !== 1 || model.batch.learned !== 1)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Stages that answer are of one row and one learned place.');
  const { length } = model.batch;
  if (prompt.length === 0 || prompt.length > length)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `A question has 1 to ${length} tokens.`);
  const tokens = [...prompt];
  for (let made = 0; made < tokensMax && tokens.length < length; made += 1) {
    const { data } = await runStages(placed, rowOf(tokens, length), signal);
    const token = choose(Float32Array.from(data, Number));
    tokens.push(token);
    yield token;
  }
}

/** What comes after the tokens is padding that no token looks at. */
export function rowOf(tokens: readonly number[], length: number): Tensors {
  const row = new BigInt64Array(length);
  row.set(tokens.map(BigInt));
  return {
    tokens: { type: 'int64', shape: [1, length], data: row },
    segments: { type: 'int64', shape: [1, length], data: new BigInt64Array(length) },
    positions: { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(tokens.length - 1)) },
  };
}

function largest(scores: Float32Array): number {
  let best = 0;
  scores.forEach((score, token) => {
    if (score > (scores[best] ?? -Infinity)) best = token;
  });
  return best;
}
