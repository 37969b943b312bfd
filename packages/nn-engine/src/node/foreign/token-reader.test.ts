import { expect, it } from 'vitest';

import { tokenReader } from './token-reader.ts';

/** Tokens are bytes; a text does not begin with a space, as in tokenizers that mark words by one. */
const bytes = (tokens: number[]): string => new TextDecoder().decode(Uint8Array.from(tokens)).replace(/^ /u, '');
const read = (...tokens: number[]): string[] => {
  const reader = tokenReader(bytes);
  return [...tokens.map((token) => reader.push(token)), reader.end()];
};

it('keeps the space between two words, which a word alone does not have', () => {
  expect(read(32, 97, 32, 98)).toEqual(['', 'a', ' ', 'b', '']);
});

it('shows a letter of several tokens whole, half a one at the end, and what is no letter after four', () => {
  expect(read(97, 0xc3, 0xa4, 98)).toEqual(['a', '', 'ä', 'b', '']);
  expect(read(97, 0xe2, 0x82)).toEqual(['a', '', '', '\uFFFD']);
  expect(read(97, 0xff, 0xff, 0xff, 0xff, 98)).toEqual(['a', '', '', '', '\uFFFD'.repeat(4), 'b', '']);
});

it('says nothing where nothing was said', () => {
  expect(read()).toEqual(['']);
});
