import { type Codec, PeerAiError, toHex } from '@peerai/core-protocol';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { workMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';

/** A decoder of foreign bytes, and something it takes. */
export interface Decoder {
  readonly valid: Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

export const through = <T>(codec: Codec<T>, value: T): Decoder => ({
  valid: codec.encode(value),
  decode: (bytes) => codec.decode(bytes),
});

/** A test for each: our errors or none, none of them slow. */
export function testMutations(decoders: Readonly<Record<string, Decoder>>): void {
  test.each(Object.entries(decoders))(
    'a %s: 10,000 mutations, nothing but our errors, nothing slow',
    (_, { valid, decode }) => {
      expect(() => decode(valid)).not.toThrow();
      const mutations = seededRandom(valid.length);
      const read = (input: Uint8Array) => (): void => {
        try {
          decode(input);
        } catch (error) {
          if (!PeerAiError.is(error)) throw new Error(toHex(input), { cause: error });
        }
      };
      for (let turn = 0; turn < 10_000; turn += 1) expect(workMs(read(mutated(valid, mutations)), 50)).toBeLessThan(50);
    },
    60_000,
  );
}
