import { expect, test } from 'vitest';
import { joinRepeated } from './repeated-flags.ts';

const known = {
  tag: { type: 'string', valueHint: 'T,T' },
  level: { type: 'string', valueHint: 'L', alias: 'l' },
  json: { type: 'boolean' },
  text: { type: 'positional' },
} as const;
const joined = (...words: string[]) => joinRepeated(words, known);

test('a flag that takes several may be written several times', () => {
  expect(joined('gas', '--tag', 'home', '--json', '--tag=meter,old', '--tag', 'cellar')).toEqual({
    words: ['gas', '--tag=home,meter,old,cellar', '--json'],
  });
});

test('one that takes a single value is named when it comes twice, by either name', () => {
  expect(joined('--level', 'public', '--level', 'personal').twice).toBe('--level');
  expect(joined('-l', 'public', '--level=personal').twice).toBe('--level');
});

test('what is no flag with a value stays as it is', () => {
  expect(joined('--json', '--json', '--nope', 'x', '--nope', 'y', '--level')).toEqual({
    words: ['--json', '--json', '--nope', 'x', '--nope', 'y', '--level'],
  });
  expect(joined('--level', 'public', '--', '--level', 'personal')).toEqual({
    words: ['--level=public', '--', '--level', 'personal'],
  });
});
