import { expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { promptPieces } from './write-text.ts';

const cache = { 'past_key_values.0.key': [1, 2, 0, 4] };
const prompt = Array.from({ length: 300 }, (_, at) => at);
const lengths = (vocabulary: number, words = 1): number[] =>
  [...promptPieces({ cache, vocabulary }, words, prompt)].map((piece) => piece.length);
const { foreignPrefillTokensMax: tokensMax, foreignPrefillBytesMax: bytesMax } = limits;

it('reads as many tokens at once as are allowed, while their scores fit', () => {
  const fits = bytesMax / (4 * tokensMax);
  expect(lengths(fits)).toEqual([128, 128, 44]);
  expect(lengths(fits + 1)).toEqual([127, 127, 46]);
  expect(lengths(bytesMax)).toEqual(prompt.map(() => 1));
});

it('takes the words of the tokenizer where the file leaves its vocabulary open, and reads nothing ahead without a cache', () => {
  expect(lengths(0, bytesMax / 400)[0]).toBe(100);
  expect([...promptPieces({ cache: {}, vocabulary: 4 }, 4, prompt)]).toEqual([]);
});
