import { expect, test } from 'vitest';
import { nodeCrypto } from './crypto-node/index.ts';
import { nobleCrypto } from './crypto/noble.ts';
import { utf8, utf8Length } from './bytes.ts';

test('short and long texts, ASCII or not, are the bytes that TextEncoder gives', () => {
  for (const length of [0, 1, 63, 64, 65, 200]) {
    for (const end of ['', 'a', '\u007f', '\u0080', 'é', '\ud800', '𝄞', '\0']) {
      const text = 'x'.repeat(Math.max(0, length - end.length)) + end;
      expect(utf8(text)).toEqual(new TextEncoder().encode(text));
      expect(utf8Length(text)).toBe(utf8(text).length);
    }
  }
});

test('a hash of parts is the hash of the whole, below, at and above what is copied together', () => {
  for (const length of [0, 1, 64, 4_095, 4_096, 4_097, 10_000]) {
    const whole = Uint8Array.from({ length }, (_, index) => index % 251);
    const parts = [whole.subarray(0, length >> 1), new Uint8Array(), whole.subarray(length >> 1)];
    const hash = nobleCrypto.sha256(whole);
    expect(nodeCrypto.sha256(...parts)).toEqual(hash);
    expect(nodeCrypto.sha256(whole)).toEqual(hash);
  }
});
