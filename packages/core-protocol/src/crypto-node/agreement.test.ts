import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../bytes.ts';
import { nobleCrypto } from '../crypto/noble.ts';
import { seededRandom } from '../testing/index.ts';
import { nodeCrypto } from './index.ts';
import { keyCache } from './key-cache.ts';
import { isPlainEd25519Key } from './small-order.ts';

const { Point } = ed25519;
const order = Point.Fn.ORDER;
/** A point of order 8. */
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const number = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.toReversed())}`);
const littleEndian = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).toReversed();
const verdicts = (signature: Uint8Array, message: Uint8Array, key: Uint8Array): [boolean, boolean] => [
  nobleCrypto.ed25519.verify(signature, message, key),
  nodeCrypto.ed25519.verify(signature, message, key),
];

describe('One Ed25519 rule for both providers', () => {
  it('agrees on 200 signatures whose A and R carry every mix of small-order parts, and accepts only plain R with plain kA', () => {
    const random = seededRandom(8032);
    const message = new TextEncoder().encode('x');
    const accepted: number[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      const [aTorsion, rTorsion] = [turn % 8, (turn >> 3) % 8];
      const [a, r] = [number(random.bytes(32)) % order, number(random.bytes(32)) % order];
      const publicKey = Point.BASE.multiply(a)
        .add(torsion.multiplyUnsafe(BigInt(aTorsion)))
        .toBytes();
      const rBytes = Point.BASE.multiply(r)
        .add(torsion.multiplyUnsafe(BigInt(rTorsion)))
        .toBytes();
      const k = number(sha512(concatBytes(rBytes, publicKey, message))) % order;
      const signature = concatBytes(rBytes, littleEndian((r + k * a) % order));
      const [noble, node] = verdicts(signature, message, publicKey);
      expect([turn, noble]).toEqual([turn, node]);
      // Without a cofactor R = SB − kA must hold exactly, the small parts included.
      const fits = (BigInt(rTorsion) + k * BigInt(aTorsion)) % 8n === 0n;
      expect([turn, noble]).toEqual([turn, fits]);
      if (noble) accepted.push(turn);
    }
    expect(accepted.length).toBeGreaterThan(10);
    expect(accepted.length).toBeLessThan(60);
  });

  it('agrees on keys and R written with y ≥ p, and on keys off the curve', () => {
    const bytes = (low: number, high: number): Uint8Array => {
      const key = new Uint8Array(32).fill(0xff);
      [key[0], key[31]] = [low, high];
      return key;
    };
    const message = new Uint8Array(1);
    for (let low = 0xe0; low <= 0xff; low += 1) {
      for (const high of [0x7f, 0xff]) {
        for (const s of [0n, 1n]) {
          const signature = concatBytes(bytes(low, high), littleEndian(s));
          const [noble, node] = verdicts(signature, message, bytes(low, high));
          expect([low, noble]).toEqual([low, node]);
        }
      }
    }
  });

  it('agrees on any bytes at all', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(64), bytes(32), fc.uint8Array({ maxLength: 64 }), (signature, key, message) => {
        const [noble, node] = verdicts(signature, message, key);
        return noble === node;
      }),
      { numRuns: 300 },
    );
  });

  it('signs, seals and derives the same bytes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const any = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes(32), bytes(12), any, any, (key, nonce, text, header) => {
        const results = [nobleCrypto, nodeCrypto].map((crypto) =>
          [
            crypto.ed25519.publicKey(key),
            crypto.ed25519.sign(text, key),
            crypto.x25519.publicKey(key),
            crypto.sha256(text, header),
            crypto.hkdfSha256(key, nonce, header, 48),
            crypto.aead['aes-256-gcm'].seal(key, nonce, text, header),
            crypto.aead['chacha20-poly1305'].seal(key, nonce, text, header),
          ].map(toHex),
        );
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('A plain Ed25519 key', () => {
  const key = (hex: string): boolean => isPlainEd25519Key(fromHex(hex));

  it('is no multiple of the point of order 8, with either sign', () => {
    for (let multiple = 0; multiple < 8; multiple += 1) {
      const bytes = torsion.multiplyUnsafe(BigInt(multiple)).toBytes();
      expect(isPlainEd25519Key(bytes)).toBe(false);
      bytes[31] = (bytes[31] ?? 0) ^ 0x80;
      expect(isPlainEd25519Key(bytes)).toBe(false);
    }
  });

  it('writes its y below p', () => {
    const withLow = (low: string): boolean => key(`${low}${'ff'.repeat(30)}7f`);
    expect(['eb', 'ed', 'ee', 'ef', 'ff'].map(withLow)).toEqual([true, false, false, false, false]);
    expect(isPlainEd25519Key(nobleCrypto.ed25519.publicKey(new Uint8Array(32)))).toBe(true);
  });
});

describe('Imported keys', () => {
  it('are kept up to the limit, the least recently used leaves first', () => {
    const loaded: string[] = [];
    const cache = keyCache(2, (bytes) => {
      loaded.push(toHex(bytes));
      return { bytes } as never;
    });
    for (const byte of [1, 2, 1, 3, 1, 2]) cache(Uint8Array.of(byte));
    expect(loaded).toEqual(['01', '02', '03', '02']);
  });
});
