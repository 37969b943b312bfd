import { expect, test } from 'vitest';
import { utf8 } from '../bytes.ts';
import { seededRandom } from '../testing/index.ts';
import { nodeCrypto, verifyEd25519Aside } from './node.ts';

test('a signature checked aside gets the same answer, whatever is wrong with it, and many at once each their own', async () => {
  const seed = seededRandom(1).bytes(32);
  const key = nodeCrypto.ed25519.publicKey(seed);
  const message = utf8('what was signed');
  const good = nodeCrypto.ed25519.sign(message, seed);
  const cases: readonly (readonly [Uint8Array, Uint8Array, Uint8Array])[] = [
    [good, message, key],
    [good.with(3, (good[3] ?? 0) ^ 1), message, key],
    [good.with(63, 0xff), message, key],
    [good, utf8('something else'), key],
    [good, message, nodeCrypto.ed25519.publicKey(seededRandom(2).bytes(32))],
    [good.subarray(1), message, key],
    [good, message, key.subarray(1)],
    [good, message, new Uint8Array(32)],
    [good, message, new Uint8Array(32).fill(1, 0, 1)],
    [good, message, new Uint8Array(32).fill(0xff)],
  ];
  const many = Array.from({ length: 10 }, () => cases).flat();
  const found = await Promise.all(many.map(async (one) => verifyEd25519Aside(...one)));
  expect(found).toEqual(many.map((one) => nodeCrypto.ed25519.verify(...one)));
  expect(found.slice(0, cases.length)).toEqual([true, ...cases.slice(1).map(() => false)]);
});
