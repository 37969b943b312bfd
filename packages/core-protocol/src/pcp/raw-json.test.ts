import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../bytes.ts';
import { limits } from '../limits.ts';
import { pcpLimits } from './limits.ts';
import { numberText } from './number-text.ts';
import { plainJson, readRawJson, writeAsciiJson } from './raw-json.ts';

const refused = expect.objectContaining({ code: 'INVALID_FORMAT' });
const read = (text: string) => readRawJson(utf8(text));
const rewrite = (text: string): string => writeAsciiJson(read(text));

describe('Raw JSON', () => {
  it.each([
    ['{"b":1.0,"a":[true,null,"x"]}', '{"a":[true,null,"x"],"b":1.0}'],
    [' [ 1e-07 , 1e+16,-0.0 ,1E5,12345678901234567890 ] ', '[1e-07,1e+16,-0.0,1E5,12345678901234567890]'],
    [
      '"\\u00F6 ö \\ud83d\\ude00 \u{1F600} \\/ \\u0000\\b\u007f\u0080"',
      '"\\u00f6 \\u00f6 \\ud83d\\ude00 \\ud83d\\ude00 / \\u0000\\b\\u007f\\u0080"',
    ],
    ['{"\u{1F600}":1,"\uffff":2,"a":3,"B":4,"":5}', '{"":5,"B":4,"a":3,"\\uffff":2,"\\ud83d\\ude00":1}'],
    ['{"constructor":{},"toString":[]}', '{"constructor":{},"toString":[]}'],
  ])('reads %s and writes %s', (text, written) => {
    expect(rewrite(text)).toBe(written);
  });

  it.each([
    '',
    ' ',
    '{',
    '{"a"}',
    '{"a":1,}',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1}',
    '{1:2}',
    '[1,]',
    '[1 2]',
    '[',
    '1 2',
    '01',
    '+1',
    '1.',
    '.5',
    '-',
    '1e',
    '1e400',
    '-1e400',
    '1e-400',
    'NaN',
    'Infinity',
    'nul',
    'nulll',
    'undefined',
    '"\\ud800"',
    '"\\x"',
    '"a\nb"',
    '"unclosed',
    '"\\',
    '\uFEFF{}',
  ])('refuses %s', (text) => {
    expect(() => read(text)).toThrow(refused);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => readRawJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(refused);
  });

  it('keeps its limits of depth, values and digits', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(rewrite(nested(limits.jsonDepthMax))).toBe(nested(limits.jsonDepthMax));
    expect(() => read(nested(limits.jsonDepthMax + 1))).toThrow(refused);
    expect(() => read('['.repeat(1_000_000))).toThrow(refused);
    expect(writeAsciiJson(JSON.parse(nested(limits.jsonDepthMax)))).toBe(nested(limits.jsonDepthMax));
    expect(() => writeAsciiJson(JSON.parse(nested(limits.jsonDepthMax + 1)))).toThrow(refused);
    const list = (count: number): string => JSON.stringify(Array.from({ length: count }, () => 0));
    expect(read(list(limits.jsonValuesMax - 1))).toHaveLength(limits.jsonValuesMax - 1);
    expect(() => read(list(limits.jsonValuesMax))).toThrow(refused);
    expect(writeAsciiJson(JSON.parse(list(limits.jsonValuesMax - 1)))).toBe(list(limits.jsonValuesMax - 1));
    expect(() => writeAsciiJson(JSON.parse(list(limits.jsonValuesMax)))).toThrow(refused);
    const digits = '1'.repeat(pcpLimits.numberCharsMax);
    expect(rewrite(digits)).toBe(digits);
    expect(() => read(`1${digits}`)).toThrow(refused);
  });

  it('hands numbers on as they are, and a whole number that a double would round as its text', () => {
    expect(plainJson(read('[1.0,1e-07,-0.0,9007199254740991,9007199254740993,1e+16,-12345678901234567890]'))).toEqual([
      1,
      1e-7,
      0,
      9_007_199_254_740_991,
      '9007199254740993',
      '1e+16',
      '-12345678901234567890',
    ]);
  });

  it.each([
    ['undefined', undefined],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['bytes', new Uint8Array(1)],
    ['NaN', Number.NaN],
    ['minus zero', -0],
    ['2^53', 2 ** 53],
    ['a lone surrogate', ['\uD800']],
    ['a missing member', { a: undefined }],
  ])('does not write %s', (_, value) => {
    expect(() => writeAsciiJson(value)).toThrow(refused);
  });

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        let written: string;
        try {
          written = writeAsciiJson(value);
        } catch {
          return;
        }
        expect(rewrite(written)).toBe(written);
        expect(plainJson(read(written))).toEqual(JSON.parse(written));
      }),
    );
  });

  it('takes hostile texts of the largest message in linear time', () => {
    const size = limits.messageBytesMax;
    const hostile = [
      '"\\"'.repeat(size / 3),
      `"${'\\'.repeat(size - 1)}`,
      `"${'a'.repeat(size)}`,
      '1'.repeat(size),
      ' '.repeat(size),
    ];
    for (const text of hostile) {
      // Twice the work for twice the text: a reader that looks back would not end within this test's time.
      expect(() => read(text)).toThrow(refused);
    }
  });
});

describe('A number of ours', () => {
  it.each([
    [1, '1'],
    [-2.5, '-2.5'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [-5e-324, '-5e-324'],
    [123_456_789.25, '123456789.25'],
    [0.1 + 0.2, '0.30000000000000004'],
    [9_007_199_254_740_991, '9007199254740991'],
  ])('%d is written as Python writes it back: %s', (value, text) => {
    expect(numberText(value)).toBe(text);
    expect(Number(text)).toBe(value);
  });
});
