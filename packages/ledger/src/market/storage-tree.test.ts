import { PeerAiError } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crypto } from '../../test/world.ts';
import { marketLimits as limits } from './limits.ts';
import { storageProof } from './storage.ts';
import { challengedLeaves, chunkIdOf, provenBy, showLeaf, type ShownLeaf } from './storage-tree.ts';

const random = seededRandom(7);
const content = (bytes: number) => {
  const whole = random.bytes(bytes);
  return { id: chunkIdOf(crypto, whole), bytes, whole };
};
type Content = ReturnType<typeof content>;
const nonce = random.bytes(32);
const shownFor = (held: readonly Content[], asked = nonce): Promise<ShownLeaf[]> =>
  Promise.all(
    challengedLeaves(crypto, asked, held).map(({ chunk, index }) =>
      showLeaf(crypto, chunk, held.find(({ id }) => id === chunk)?.whole ?? new Uint8Array(), index),
    ),
  );

describe('leaves of what is stored', () => {
  test('prove the same as the bytes themselves, whatever the sizes of chunks', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.uint8Array({ minLength: 32, maxLength: 32 }), async (all, asked) => {
        const held = all.map(content).toSorted((a, b) => (a.id < b.id ? -1 : 1));
        const line = Buffer.concat(held.map(({ whole }) => whole));
        const read = (place: number, length: number) => line.subarray(place, place + length);
        const wanted = await storageProof(crypto, asked, line.length, read);
        expect(await provenBy(crypto, asked, held.toReversed(), await shownFor(held, asked))).toEqual(wanted);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('that were changed, left out or belong elsewhere prove nothing', async () => {
    const held = [content(3_000), content(limits.storageLeafBytes), content(1)];
    const good = await shownFor(held);
    const [first, ...rest] = good;
    if (first === undefined) throw new Error('nothing was asked for');
    const leaf = first.leaf.slice();
    leaf[0] = (leaf[0] ?? 0) ^ 1;
    const wrongs: (readonly ShownLeaf[])[] = [
      rest,
      [{ ...first, leaf }, ...rest],
      [{ ...first, index: first.index + 1 }, ...rest],
      [{ ...first, path: [...first.path, nonce] }, ...rest],
      [{ ...first, leaf: first.leaf.subarray(1) }, ...rest],
    ];
    for (const wrong of wrongs)
      await expect(provenBy(crypto, nonce, held, wrong)).rejects.toThrow(
        expect.objectContaining({ code: 'RECEIPT_WRONG' }),
      );
    await expect(provenBy(crypto, nonce, held, good)).resolves.toHaveLength(32);
  });

  test('of a lender that lost a tenth are missing in most challenges', async () => {
    const held = Array.from({ length: 10 }, () => content(4_096));
    const lost = held[0]?.id;
    let told = 0;
    for (let round = 0; round < 50; round += 1) {
      const asked = random.bytes(32);
      const answer = (await shownFor(held, asked)).filter(({ chunk }) => chunk !== lost);
      told += await provenBy(crypto, asked, held, answer).then(
        () => 0,
        (error: unknown) => (PeerAiError.is(error, 'RECEIPT_WRONG') ? 1 : 0),
      );
    }
    // 1 − 0.9^16 is 0.81.
    expect(told).toBeGreaterThan(30);
  });
});
