import fc from 'fast-check';
import { PeerAiError } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { readInterest } from './interest.ts';

const message = {
  room: 'kitchen',
  alarm: null,
  on: true,
  reading: { celsius: 21.5, tags: ['urgent', 3] },
  text: 'the water boils',
};

test.each([
  ['room=kitchen', true],
  ['room = "kitchen"', true],
  ['room=bath', false],
  ['room!=bath', true],
  ['missing!=x', true],
  ['missing=x', false],
  ['alarm', true],
  ['alarm=null', true],
  ['missing', false],
  ['on=true', true],
  ['on="true"', false],
  ['reading.celsius>21', true],
  ['reading.celsius>=21.5', true],
  ['reading.celsius<21.5', false],
  ['reading.celsius<=21.5', true],
  ['reading.celsius>"21"', false],
  ['room<l', true],
  ['reading.tags~urgent', true],
  ['reading.tags~3', true],
  ['reading.tags~"3"', false],
  ['reading.tags.0=urgent', true],
  ['text~"water boils"', true],
  ['text~ice', false],
  ['room=kitchen and reading.celsius>20', true],
  ['room=kitchen and reading.celsius>30', false],
  ['text="a and b"', false],
  ['constructor', false],
  ['room.length', false],
])('%s of a message: %s', (text, expected) => {
  expect(readInterest(text)(message)).toBe(expected);
});

test.each(['', ' ', '=x', 'a==', 'a= ', 'a=b c=d', 'a or b', 'a and', 'a..b', 'a="x', '"a"=1', 'a=1 and and b'])(
  '"%s" is no filter',
  (text) => {
    expect(() => readInterest(text)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  },
);

test('length, conditions and depth of the limits are taken, one more is not', () => {
  const clauses = (count: number): string => Array.from({ length: count }, (_, at) => `a${at}`).join(' and ');
  const depth = (count: number): string => Array.from({ length: count }, () => 'a').join('.');
  const length = (count: number): string => `a=${'x'.repeat(count - 2)}`;
  for (const [make, max] of [
    [clauses, limits.interestClausesMax],
    [depth, limits.interestDepthMax],
    [length, limits.interestCharsMax],
  ] as const) {
    expect(() => readInterest(make(max))).not.toThrow();
    expect(() => readInterest(make(max + 1))).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  }
});

test('any text is a filter or refused, and any filter says yes or no to any message', () => {
  const part = fc.constantFrom('a', 'b.c', '=', '!=', '~', '<', '"x"', '1', ' and ', ' ', '\\', '"', 'null');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.jsonValue(), (parts, payload) => {
      try {
        expect(typeof readInterest(parts.join(''))(payload)).toBe('boolean');
      } catch (error) {
        if (!PeerAiError.is(error, 'INVALID_FORMAT')) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
});
