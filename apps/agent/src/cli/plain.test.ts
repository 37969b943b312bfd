import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plain, plainJson, table } from './plain.ts';

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
