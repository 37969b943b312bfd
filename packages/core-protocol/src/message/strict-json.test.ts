import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, it } from 'vitest';
import { fromUtf8, toHex, utf8 } from '../bytes.ts';
import { limits } from '../limits.ts';
import { canonicalJson, readStrictJson } from './strict-json.ts';

const refused = expect.objectContaining({ code: 'INVALID_FORMAT' });
const read = (text: string): unknown => readStrictJson(utf8(text));
const canonical = (value: unknown): string => fromUtf8(canonicalJson(value));

describe('Strict JSON', () => {
  it.each([
    ['{"b":1,"a":[true,null,"x"]}', '{"a":[true,null,"x"],"b":1}'],
    [' [ 1 , -2.5 , 1e-7 ] ', '[1,-2.5,1e-7]'],
    ['{"a:b,{":"]\\"}","c":[":",","]}', '{"a:b,{":"]\\"}","c":[":",","]}'],
    ['"\\u20ac\\u000F\\n"', '"€\\u000f\\n"'],
    ['9007199254740991', '9007199254740991'],
    ['[{"k":1},{"k":1}]', '[{"k":1},{"k":1}]'],
  ])('reads %s and writes %s', (text, written) => {
    expect(canonical(read(text))).toBe(written);
  });

  it.each([
    '',
    '{',
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":2}}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":{"x":1}}',
    '1.0',
    '-0',
    '0.10',
    '1e2',
    '1E-7',
    '[1e400]',
    '9007199254740992',
    '-9007199254740993',
    '12345678901234567890',
    '0.1000000000000000055511151231257827',
    '1e+21',
    '01',
    '"\\ud800"',
    '"unclosed',
    '"\\',
    '[1,]',
    'NaN',
    '\uFEFF{}',
    '1 2',
  ])('refuses %s', (text) => {
    // Lone surrogates are legal JSON and have no canonical bytes: whichever speaks first.
    expect(() => canonical(read(text))).toThrow(refused);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => readStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(refused);
  });

  it('nests as deep as the limit and no deeper, on both ways', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(canonical(read(nested(limits.jsonDepthMax)))).toBe(nested(limits.jsonDepthMax));
    expect(() => read(nested(limits.jsonDepthMax + 1))).toThrow(refused);
    expect(() => canonicalJson(JSON.parse(nested(limits.jsonDepthMax + 1)))).toThrow(refused);
    expect(() => read('['.repeat(1_000_000))).toThrow(refused);
  });

  it('holds as many values as the limit and no more, on both ways', () => {
    const list = (count: number): unknown[] => Array.from({ length: count }, () => 0);
    const most = limits.jsonValuesMax - 1;
    expect(read(JSON.stringify(list(most)))).toHaveLength(most);
    expect(canonicalJson(list(most)).length).toBeGreaterThan(most);
    expect(() => canonicalJson(list(most + 1))).toThrow(refused);
    expect(() => read(JSON.stringify(list(most + 1)))).toThrow(refused);
  });

  it.each([
    ['undefined', undefined],
    ['a missing value', { a: undefined }],
    ['a bigint', [1n]],
    ['a function', () => 1],
    ['a date', new Date(0)],
    ['bytes', new Uint8Array(1)],
    ['a map', new Map()],
    ['a hole', [1, , 2]], // oxlint-disable-line no-sparse-arrays
    ['NaN', Number.NaN],
    ['minus zero', { x: -0 }],
    ['2^53', 2 ** 53],
    ['a lone surrogate', '\uD800'],
  ])('does not sign %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(refused);
  });

  it('reads back whatever it writes, and writes the same again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        let written: Uint8Array;
        try {
          written = canonicalJson(value);
        } catch {
          return;
        }
        expect(toHex(canonicalJson(readStrictJson(written)))).toBe(toHex(written));
      }),
    );
  });

  it('takes hostile texts of the largest message in linear time', () => {
    const size = limits.messageBytesMax;
    for (const text of [
      '"\\"'.repeat(size / 3),
      `"${'\\'.repeat(size - 1)}`,
      '1'.repeat(size),
      '-'.repeat(size),
      ' '.repeat(size),
    ]) {
      const startMs = threadMs();
      expect(() => read(text)).toThrow(refused);
      expect(threadMs() - startMs).toBeLessThan(250);
    }
  });
});

const folder = join(import.meta.dirname, '../../../../../shared/vectors/jcs/testdata');
describe.skipIf(!existsSync(folder))('RFC 8785, the vectors of cyberphone/json-canonicalization', () => {
  const files = existsSync(folder) ? readdirSync(join(folder, 'input')) : [];
  it('are six', () => expect(files).toHaveLength(6));
  it.each(files)('%s', async (file) => {
    const { default: canonicalize } = await import('canonicalize');
    const input: unknown = JSON.parse(readFileSync(join(folder, 'input', file), 'utf8'));
    const hex = readFileSync(join(folder, 'outhex', file.replace('.json', '.txt')), 'utf8').replaceAll(/\s/g, '');
    expect(toHex(utf8(canonicalize(input) ?? ''))).toBe(hex);
  });
});
