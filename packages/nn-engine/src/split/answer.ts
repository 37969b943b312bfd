import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import type { PlacedStage } from './pipeline.ts';
import { stageDecoder } from './stage-decoder.ts';

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
 * A language model's answer, token by token, over stages that were opened to decode. What they keep of it is freed when the answer ends, fails, or nobody
 * wants the rest. Throws INVALID_OPTION, STAGE_LOST, and what a runner throws.
 */
export async function* answerTokens(
  placed: readonly PlacedStage[],
  { prompt, tokensMax, choose = largest, signal }: AnswerOptions,
): AsyncGenerator<number, void, undefined> {
  const decoder = stageDecoder(placed);
  const length = lengthOf(placed);
  if (prompt.length === 0 || prompt.length > length)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', `A question has 1 to ${length} tokens.`);
  const session = await decoder.open(signal);
  try {
    let scores: Float32Array | undefined;
    for (const [index, token] of prompt.entries()) scores = await session.step(token, index === prompt.length - 1);
    for (let made = 1; made <= tokensMax && scores !== undefined; made += 1) {
      const token = choose(scores);
      yield token;
      if (made === tokensMax || prompt.length + made >= length) return;
      scores = await session.step(token, true);
    }
  } finally {
    await session.close();
  }
}

function lengthOf([first]: readonly PlacedStage[]): number {
  return first?.stage.model.type === 'language-model' ? first.stage.model.batch.length : 0;
}

function largest(scores: Float32Array): number {
  let best = 0;
  scores.forEach((score, token) => {
    if (score > (scores[best] ?? -Infinity)) best = token;
  });
  return best;
}
