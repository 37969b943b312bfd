import { concatBytes, utf8 } from '@peerai/core-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNegotiation, proposal } from './negotiation.ts';

const id = '/peerai/test/1';
const refusal = utf8('\u0013/multistream/1.0.0\n\u0003na\n');

/** What is left of the pieces, joined. */
function read(pieces: readonly Uint8Array[]): Uint8Array {
  const negotiation = createNegotiation(id);
  return concatBytes(...pieces.map((piece) => negotiation.read(piece)));
}
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const all = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return all.slice(1).map((place, index) => bytes.subarray(all[index], place));
};

test('a proposal is the header and the protocol, each with its length and a newline', () => {
  expect(proposal(id)).toEqual(utf8('\u0013/multistream/1.0.0\n\u000f/peerai/test/1\n'));
});

test('an id of 126 bytes has a length of one byte; one more is refused', () => {
  expect(proposal('/'.repeat(126))).toHaveLength(20 + 128);
  expect(() => proposal('/'.repeat(127))).toThrow(RangeError);
});

test('the echo is taken off, in whatever pieces it comes, and everything behind it is left', () => {
  const echo = proposal(id);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: echo.length }), { maxLength: 5 }),
      (rest, places) => {
        expect(read(cut(concatBytes(echo, rest), places))).toEqual(rest);
      },
    ),
  );
});

test('`na` is REFUSED, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: refusal.length }), { maxLength: 5 }), (places) => {
      expect(() => read(cut(refusal, places))).toThrow(expect.objectContaining({ code: 'REFUSED' }) as Error);
    }),
  );
});

test.each([
  ['nothing of the kind', utf8('HTTP/1.1 400')],
  ['another version', utf8('\u0013/multistream/2.0.0\n')],
  ['another protocol', utf8('\u0013/multistream/1.0.0\n\u000f/peerai/best/1\n')],
  ['a refusal that goes wrong', utf8('\u0013/multistream/1.0.0\n\u0003no\n')],
])('%s is INVALID_FORMAT', (_, bytes) => {
  expect(() => read([bytes])).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }) as Error);
});
