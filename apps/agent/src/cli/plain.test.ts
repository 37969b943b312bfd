import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plain, plainJson, table, wrapped } from './plain.ts';

// oxlint-disable-next-line no-control-regex -- these are what must not be shown
const steering = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

test('colours, titles, C1 sequences and backward writing do not reach a terminal', () => {
  expect(plain('\u001B[31mred\u001B]0;title\u0007 \u009B2J\r\u202Eexe\u2069\n\tend')).toBe(
    '[31mred]0;title 2Jexe\n\tend',
  );
});

test('JSON keeps every character, and shows none that steers', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = plainJson({ text });
      expect(shown).not.toMatch(steering);
      expect(JSON.parse(shown)).toEqual({ text });
    }),
  );
});

test('plain text never steers, whatever it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plain(text)).not.toMatch(steering);
    }),
  );
});

test('a cell cannot begin a line of its own', () => {
  const shown = table([
    ['NAME', 'KIND'],
    ['eve\nadmin', 'guest'],
  ]);
  expect(shown).toBe('NAME       KIND\neve admin  guest');
});

const runs = [
  ['ID', 'HOW FAR', 'MODEL'],
  ['60a32b80', 'round 20 of 20, loss 0.123', 'mlp, tells inside from 2 columns'],
];

test('a table wider than the terminal has its widest cells in several lines, and none is cut', () => {
  expect(table(runs, 50)).toBe(
    [
      'ID        HOW FAR              MODEL',
      '60a32b80  round 20 of 20,      mlp, tells inside',
      '          loss 0.123           from 2 columns',
    ].join('\n'),
  );
  expect(table(runs, 70).split('\n')).toHaveLength(2);
  expect(table(runs, 69).split('\n')).toHaveLength(3);
  // No column is narrower than its longest word, and a pipe has no columns.
  expect(table([['a'.repeat(90), 'b c']], 40)).toBe(`${'a'.repeat(90)}  b\n${' '.repeat(92)}c`);
  expect(table(runs, undefined).split('\n')).toHaveLength(2);
});

test('a usage line is broken after its blanks and bars', () => {
  expect(wrapped('peerai peers ls|show|accept <peer>', 20, '  ', '    ')).toBe(
    '  peerai peers ls|\n    show|accept\n    <peer>',
  );
});
