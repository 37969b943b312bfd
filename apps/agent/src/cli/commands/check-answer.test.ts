import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import { partedError } from './check-answer.ts';

const found = { provider: 'p', model: 'fox', engine: 'trained', version: '1', statedMs: 1, here: 'a hen' } as const;

test.each([
  ['different', 'a cat', 'stop', exitCodes.verification, 'gives another answer here than p signed; the file is the ev'],
  ['different', 'a hen', 'length', exitCodes.verification, 'ends for another reason (length) here than p signed; the'],
  ['cannot-tell', 'a cat', 'stop', exitCodes.failure, 'It is evidence of nothing.'],
  ['cannot-tell', 'a hen', 'length', exitCodes.failure, 'ends for another reason (length) here than p signed, and'],
] as const)('%s from “%s” (%s) ends with %i and says so', (verdict, signed, reason, status, words) => {
  const error = partedError({ ...found, verdict, reason, margin: 0.5 }, utf8(signed));
  expect(exitCodeOf(error.code)).toBe(status);
  expect(error.message).toContain(words);
  expect(error.details).toEqual({ provider: 'p', model: 'fox', here: 'a hen', margin: 0.5 });
});
