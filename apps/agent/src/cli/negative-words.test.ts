import { expect, test } from 'vitest';
import { negativeWordsLast } from './negative-words.ts';

const known = {
  name: { type: 'positional' },
  steps: { type: 'string', alias: 's' },
  json: { type: 'boolean' },
} as const;

test.each([
  [
    ['signs', '-0.5,1', '--steps', '3', '--json'],
    ['signs', '--steps', '3', '--json', '--', '-0.5,1'],
  ],
  [
    ['signs', '-.5', '-1'],
    ['signs', '--', '-.5', '-1'],
  ],
  [
    ['signs', '--steps', '-3'],
    ['signs', '--steps', '-3'],
  ],
  [
    ['signs', '-s', '-3'],
    ['signs', '-s', '-3'],
  ],
  [
    ['signs', '--json', '-3'],
    ['signs', '--json', '--', '-3'],
  ],
  [
    ['signs', '--', '-0.5,1'],
    ['signs', '--', '-0.5,1'],
  ],
  [
    ['signs', '-q', '0.5'],
    ['signs', '-q', '0.5'],
  ],
])('%j is read as %j', (words, read) => {
  expect(negativeWordsLast(words, known)).toEqual(read);
});
