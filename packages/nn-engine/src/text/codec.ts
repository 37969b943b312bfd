import { utf8 } from '@peerai/core-protocol';

import { createTokenizer, special, type Vocabulary } from '../nano/tokenizer.ts';

/** How a model's tokens and texts become each other. */
export interface TokenCodec {
  encode(text: string): readonly number[];
  /** Text of an answer's tokens as they come: a letter may be made of several of them. */
  reader(): { push(token: number): string; end(): string };
  /** The token that stands where there is no text. */
  readonly begin: number;
  /** The token after which an answer is over, where there is one. */
  readonly end?: number;
}

/** A token is a byte of UTF-8. What is no UTF-8 reads as U+FFFD. */
export const byteCodec: TokenCodec = {
  encode: (text) => [...utf8(text)],
  reader() {
    const decoder = new TextDecoder();
    return { push: (token) => decoder.decode(Uint8Array.of(token), { stream: true }), end: () => decoder.decode() };
  },
  begin: 10,
};

/** The word pieces of the nano model; characters it does not know give no text. */
export function nanoCodec(vocabulary: Vocabulary): TokenCodec {
  const tokenizer = createTokenizer(vocabulary);
  return {
    encode: (text) => tokenizer.encode(text),
    reader: () => ({ push: (token) => tokenizer.decode([token]), end: () => '' }),
    begin: special.question,
    end: special.end,
  };
}
