import { utf8 } from '../bytes.ts';
import type { Prompt } from '../ports/index.ts';

export interface UsageBounds {
  readonly promptTokensMax: number;
  readonly answerTokensMax: number;
}

/** Tokens a chat template may add: for each message, and in all. */
const templateTokensPerMessage = 16;
const templateTokens = 64;

/**
 * The most tokens that an answer may be booked at, known to both sides from the question alone: a prompt token covers at least one byte of
 * the texts that were sent, and the answer has at most the tokens that were asked for. A provider books no more, whatever system text or
 * template its engine adds; a consumer signs for no more.
 */
export function usageBounds({ messages }: Prompt, maxTokens: number): UsageBounds {
  const bytes = messages.reduce((sum, { text }) => sum + utf8(text).length, 0);
  return {
    promptTokensMax: bytes + templateTokensPerMessage * messages.length + templateTokens,
    answerTokensMax: maxTokens,
  };
}
