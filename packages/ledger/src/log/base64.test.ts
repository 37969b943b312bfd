import { utf8 } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from './base64.ts';

test('RFC 4648 section 10', () => {
  const pairs = ['', 'f Zg==', 'fo Zm8=', 'foo Zm9v', 'foob Zm9vYg==', 'fooba Zm9vYmE=', 'foobar Zm9vYmFy'];
  for (const [plain = '', text = ''] of pairs.map((pair) => pair.split(' '))) {
    expect(toBase64(utf8(plain))).toBe(text);
    expect(fromBase64(text)).toEqual(utf8(plain));
  }
  expect(toBase64(Uint8Array.of(0xfb, 0xff))).toBe('+/8=');
});

test.each(['Zg', 'Zg=', 'Zg===', 'Zh==', '-_8=', 'Z', 'Zm9v=', 'Zm 9v', '=', 'Zm8=Zm8='])(
  '%s has another form',
  (text) => {
    expect(() => fromBase64(text)).toThrow('not base64');
  },
);
