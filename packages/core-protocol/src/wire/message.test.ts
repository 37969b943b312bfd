import { expect, test } from 'vitest';
import { bytes, bytesView, message, nested, optional, repeated, string, uint53, uint64 } from './index.ts';

const whole = message({ small: uint53(1), large: uint64(2) });

test('whole numbers come back exactly on both sides of four varint bytes, and none above 2^53 − 1 is a uint53', () => {
  for (const value of [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    expect(whole.decode(whole.encode({ small: value, large: BigInt(value) }))).toEqual({
      small: value,
      large: BigInt(value),
    });
  }
  const most = 2n ** 64n - 1n;
  expect(whole.decode(whole.encode({ small: 0, large: most })).large).toBe(most);
  const large = message({ small: uint64(1), large: uint64(2) });
  const tooLarge = large.encode({ small: 2n ** 53n, large: 0n });
  expect(() => whole.decode(tooLarge)).toThrow('above 2^53');
});

test('a varint that ends before its time, or never, is refused', () => {
  for (const text of ['08', '0880', '08808080', '0880808080', '08ffffffffffffffffffffff']) {
    expect(() => whole.decode(Uint8Array.from(Buffer.from(text, 'hex')))).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT' }),
    );
  }
});

test('a view shares the memory of the message, bytes are a copy', () => {
  const codec = message({ copy: bytes(1), view: bytesView(2) });
  const encoded = codec.encode({ copy: Uint8Array.of(1, 2), view: Uint8Array.of(3, 4) });
  const { copy, view } = codec.decode(encoded);
  expect([copy, view]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
  expect([copy.buffer === encoded.buffer, view.buffer === encoded.buffer]).toEqual([false, true]);
});

test('messages inside messages, one that cannot be written and one too large to keep leave the next one whole', () => {
  const inner = message({ text: string(1), numbers: repeated(uint53(2), 3) });
  const outer = message({ before: string(1), inner: nested(2, inner), after: optional(bytes(3)) });
  const value = { before: 'a', inner: { text: 'b', numbers: [1, 2, 3] }, after: undefined };
  const first = outer.encode(value);
  expect(outer.decode(first)).toEqual({ before: 'a', inner: { text: 'b', numbers: [1, 2, 3] } });
  expect(() => outer.encode({ ...value, inner: { text: 'c', numbers: [-1] } })).toThrow();
  expect(outer.encode(value)).toEqual(first);
  const large = outer.encode({ ...value, after: new Uint8Array(100_000) });
  expect(large.length).toBeGreaterThan(100_000);
  const again = outer.encode(value);
  expect(again).toEqual(first);
  // What was handed out is nobody's scratch memory.
  outer.encode({ ...value, before: 'z' });
  expect(again).toEqual(first);
});

test('a message without a required field is refused by its name, whatever other field it has in its place', () => {
  const others = { maybe: optional(string(3)), many: repeated(uint53(4), 3) };
  const wanted = message({ first: uint53(1), second: uint53(2), ...others });
  const sent = message({ first: uint53(1), ...others, unknown: optional(uint53(9)) });
  const nothing = { maybe: undefined, many: [], unknown: undefined };
  for (const instead of [{}, { maybe: 'm' }, { many: [1] }, { many: [1, 2] }, { unknown: 5 }]) {
    const bytesSent = sent.encode({ first: 1, ...nothing, ...instead });
    expect(() => wanted.decode(bytesSent)).toThrow('field second is missing');
  }
  const least = wanted.encode({ first: 1, second: 2, maybe: undefined, many: [] });
  expect(wanted.decode(least)).toEqual({ first: 1, second: 2, many: [] });
});
