import { describe, expect, it, vi } from 'vitest';
import { nobleCrypto } from '../crypto/noble.ts';
import { cryptoContract } from '../testing/contracts/crypto.ts';
import { seededRandom } from '../testing/index.ts';
import { nodeCryptoLimits } from './limits.ts';
import { nodeCrypto } from './node.ts';

cryptoContract('nodeCrypto', nodeCrypto);

describe('What is kept or copied', () => {
  const random = seededRandom(41);

  it('is so many imported keys: one that was asked for before as many others is imported anew', async () => {
    const { keysMax } = nodeCryptoLimits;
    for (const [others, isKept] of [
      [keysMax - 1, true],
      [keysMax, false],
    ] as const) {
      // Keys of the tests before are kept too: this one begins with none.
      vi.resetModules();
      const fresh = await import('./node.ts');
      const first = random.bytes(32);
      const key = fresh.verificationKey(first);
      for (let count = 0; count < others; count += 1) fresh.verificationKey(random.bytes(32));
      expect(fresh.verificationKey(first) === key).toBe(isKept);
    }
  });

  it('is at most so many bytes of parts, hashed alike below and above', () => {
    for (const more of [-1, 0, 1]) {
      const parts = [random.bytes(1_000), random.bytes(nodeCryptoLimits.joinedBytesMax - 1_000 + more)];
      expect(nodeCrypto.sha256(...parts)).toEqual(nobleCrypto.sha256(...parts));
    }
  });
});
