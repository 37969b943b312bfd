import { concatBytes } from '@peerai/core-protocol';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { decodeEndorsement, encodeEndorsement, type Endorsement } from './endorsement.ts';
import { evmLimits as limits } from './limits.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const hex = (bytes: number) => `0x${'f7'.repeat(bytes)}` as const;
const fullest: Endorsement = {
  chainId: Number.MAX_SAFE_INTEGER,
  contract: hex(20),
  escrow: hex(32),
  amount: 2n ** 128n - 1n,
  work: hex(32),
  signature: hex(65),
};

test('an endorsement is read as it was written, and as long as the limit allows', () => {
  const bytes = encodeEndorsement(fullest);
  expect(decodeEndorsement(bytes)).toEqual(fullest);
  // Field 15 of bytes: one that a later version may have.
  const longer = (length: number) => {
    const more = length - bytes.length - 3;
    return concatBytes(bytes, Uint8Array.of(0x7a, (more & 127) | 128, more >> 7), new Uint8Array(more));
  };
  expect(decodeEndorsement(longer(limits.endorsementBytesMax))).toEqual(fullest);
  expect(() => decodeEndorsement(longer(limits.endorsementBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
});

test('3,000 mutations of one: nothing but our errors', () => {
  const { read, refused } = readMutated(encodeEndorsement(fullest), decodeEndorsement, {
    random: seededRandom(4),
    rounds: 3_000,
  });
  expect([read > 0, refused > 1_000]).toEqual([true, true]);
});
