import { expect, it } from 'vitest';
import { vectorsOf, wave } from './vectors.ts';

it.each([
  [
    '0.5, 1\n\n-1,2e3\n',
    [
      [0.5, 1],
      [-1, 2_000],
    ],
  ],
  ['7', [[7]]],
  ['', { line: 1 }],
  ['1,2\n1', { line: 2 }],
  ['1,2\n\n1,2,3', { line: 3 }],
  ['1,x', { line: 1 }],
])('%j are vectors of one length, or the line that is none', (text, vectors) => {
  expect(vectorsOf(text)).toEqual(vectors);
});

it('a wave to try it with is one', () => {
  expect(vectorsOf(wave)).toHaveLength(16);
});
