import { type AnswerPart, type CryptoProvider, type Prompt, utf8 } from '@peerai/core-protocol';

/** A tool call as a part carries it. */
export type ToolCall = Omit<Extract<AnswerPart, { type: 'tool-call' }>, 'type'>;

/** Texts as UTF-8 can carry them: a lone half of a surrogate pair becomes U+FFFD on both sides, so both hash the same bytes. */
export function wellFormed(prompt: Prompt): Prompt {
  return { messages: prompt.messages.map(({ role, text }) => ({ role, text: text.toWellFormed() })) };
}

/** The prompt's part of a work hash: RFC 8785 JSON of the array of `{"role","text"}`. It ends itself, so the answer can follow. */
export function promptBytes(prompt: Prompt): Uint8Array {
  return utf8(JSON.stringify(wellFormed(prompt).messages.map(({ role, text }) => ({ role, text }))));
}

/** A tool call's place in the answer's bytes: RFC 8785 JSON of `{"argumentsText","id","name"}`. */
export function toolCallBytes({ argumentsText, id, name }: ToolCall): Uint8Array {
  return utf8(JSON.stringify({ argumentsText, id, name }));
}

/** SHA-256 over the prompt's bytes, then the answer's bytes in order: text as UTF-8, tool calls as `toolCallBytes`. */
export function workHash(
  crypto: Pick<CryptoProvider, 'sha256'>,
  prompt: Prompt,
  answer: readonly Uint8Array[],
): Uint8Array {
  return crypto.sha256(promptBytes(prompt), ...answer);
}
