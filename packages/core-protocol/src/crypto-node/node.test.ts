import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../crypto/noble.ts';
import { cryptoContract } from '../testing/contracts/crypto.ts';
import { seededRandom } from '../testing/index.ts';
import { nodeCryptoLimits } from './limits.ts';
import { nodeCrypto, verificationKey } from './node.ts';

cryptoContract('nodeCrypto', nodeCrypto);

describe('What is kept or copied', () => {
  const random = seededRandom(41);

  it('is so many imported keys, and the one used longest ago goes for one more', () => {
    const { keysMax } = nodeCryptoLimits;
    const [first, second, ...others] = Array.from({ length: keysMax + 1 }, () => random.bytes(32));
    const load = (key: Uint8Array | undefined) => verificationKey(key ?? new Uint8Array());
    const [one, two] = [load(first), load(second)];
    expect(others).toHaveLength(keysMax - 1);
    // Two and all others but the last are as many as fit.
    for (const key of others.slice(0, -1)) load(key);
    expect(load(first)).toBe(one);
    // Now the second was used longest ago, and the last of the others takes its place.
    load(others.at(-1));
    expect(load(first)).toBe(one);
    expect(load(second)).not.toBe(two);
  });

  it('is at most so many bytes of parts, hashed alike below and above', () => {
    for (const more of [-1, 0, 1]) {
      const parts = [random.bytes(1_000), random.bytes(nodeCryptoLimits.joinedBytesMax - 1_000 + more)];
      expect(nodeCrypto.sha256(...parts)).toEqual(nobleCrypto.sha256(...parts));
    }
  });
});
