import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededUnit } from '../train/random.ts';
import { createTokenizer, learnVocabulary, special } from './tokenizer.ts';

const texts = new Map([
  ['how do i share a model', 5],
  ['share the model with a friend', 3],
  ['who are you', 2],
]);
const alphabet = 'abcdefghijklmnopqrstuvwxyz ?';
const vocabulary = learnVocabulary(texts, 60, alphabet);
const tokenizer = createTokenizer(vocabulary);

describe('the tokenizer', () => {
  it('learns the pairs that are most frequent, up to the size asked for', () => {
    expect(tokenizer.size).toBe(60);
    expect(tokenizer.encode(' model')).toHaveLength(1);
    expect(tokenizer.encode(' zebra').length).toBeGreaterThan(3);
    expect(learnVocabulary(texts, 60, alphabet)).toEqual(vocabulary);
  });

  it('stops where there is no pair left', () => {
    expect(createTokenizer(learnVocabulary(new Map([['ab', 1]]), 60)).size).toBe(4 + 2 + 1);
  });

  it('joins the earliest-learned pair first', () => {
    // b c is learned before a b.
    const small = createTokenizer({
      characters: ['a', 'b', 'c'],
      merges: [
        [5, 6],
        [4, 5],
      ],
    });
    expect(small.encode('abc')).toEqual([4, 7]);
    expect(small.encode('ab')).toEqual([8]);
  });

  it('gives back every text of known characters, with and without dropout', () => {
    const text = fc.string({ unit: fc.constantFrom(...alphabet.split('')), maxLength: 40 });
    fc.assert(
      fc.property(text, fc.integer(), (text, seed) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        expect(tokenizer.decode(tokenizer.encode(text, { dropout: 0.5, random: seededUnit(seed) }))).toBe(text);
      }),
    );
  });

  it('dropout splits words into more tokens', () => {
    expect(tokenizer.encode(' model', { dropout: 1, random: seededUnit(1) })).toHaveLength(6);
  });

  it('an unknown character is one unknown token, also outside the basic plane', () => {
    expect(tokenizer.encode('ж')).toEqual([special.unknown]);
    expect(tokenizer.encode('😀')).toEqual([special.unknown]);
    expect(tokenizer.decode([special.question, special.end])).toBe('');
  });
});
