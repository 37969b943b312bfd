import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asOf, keysWith, kindOf, readValue, written } from './value.ts';

describe('A value of a document', () => {
  it('is the same after it was shown and read again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(readValue(written(value), asOf(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('stays a text when it looks like JSON', () => {
    expect([asOf('42'), written('42'), readValue('42', 'text'), readValue('42', 'json')]).toEqual([
      'text',
      '42',
      '42',
      42,
    ]);
  });

  it('is not read when it is no JSON', () => {
    expect([readValue('tomorrow', 'json'), readValue('', 'json'), readValue('', 'text')]).toEqual([
      undefined,
      undefined,
      '',
    ]);
  });

  it.each([
    ['a', 'text'],
    [1.5, 'number'],
    [false, 'yes or no'],
    [[], 'list'],
    [{}, 'object'],
    [null, 'nothing'],
  ])('%j is called %s', (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });

  it('is found by a part of its key', () => {
    expect(keysWith({ rounds: 1, Attendees: 2, open: 3 }, '')).toEqual(['Attendees', 'open', 'rounds']);
    expect(keysWith({ rounds: 1, Attendees: 2, open: 3 }, ' EN ')).toEqual(['Attendees', 'open']);
  });
});
