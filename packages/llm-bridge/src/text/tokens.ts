import { type Prompt, utf8 } from '@peerai/core-protocol';

/** Tokens of a text where no tokenizer was asked: 4 UTF-8 bytes a token, rounded up. An estimate, and marked as one wherever it is used. */
export const estimateTokens = (text: string): number => Math.ceil(utf8(text).length / 4);

/** Words as people count them: runs without white space. */
export const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/**
 * What a prompt may cost, before an engine has counted it: the larger of 4 bytes a token and one token a word, and 4 tokens a message for
 * the chat template.
 */
export function estimatePromptTokens(prompt: Prompt): number {
  return prompt.messages.reduce((sum, { text }) => sum + 4 + Math.max(estimateTokens(text), countWords(text)), 0);
}
