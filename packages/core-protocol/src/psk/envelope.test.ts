import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { base64 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../bytes.ts';
import { nodeCrypto as crypto } from '../crypto-node/index.ts';
import { nobleCrypto } from '../crypto/noble.ts';
import { PeerAiError } from '../errors.ts';
import { seededRandom } from '../testing/index.ts';
import { checkWithSecret, openWithSecret, sealWithSecret, signWithSecret } from './envelope.ts';

const deps = { crypto, random: seededRandom(1) };
const secret = 'a secret of both sides';

describe('A shared-secret envelope', () => {
  it('is what the first assistants write: base64(nonce 12, tag 16, ciphertext), key SHA-256 of the text', () => {
    const nonce = new Uint8Array(12).fill(7);
    const cipher = createCipheriv('aes-256-gcm', createHash('sha256').update(secret).digest(), nonce);
    const ciphertext = [...cipher.update('Hallo, wie geht’s?', 'utf8'), ...cipher.final()];
    const foreign = base64.encode(Uint8Array.from([...nonce, ...cipher.getAuthTag(), ...ciphertext]));
    expect(openWithSecret(crypto, secret, foreign)).toEqual({ text: 'Hallo, wie geht’s?', nonce: '07'.repeat(12) });
    expect(openWithSecret(nobleCrypto, secret, foreign).text).toBe('Hallo, wie geht’s?');
  });

  it('opens for every text what it sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(openWithSecret(crypto, secret, sealWithSecret(deps, secret, text)).text).toBe(text);
      }),
    );
  });

  it('has another nonce every time, so that a repeated one is known', () => {
    const nonces = Array.from({ length: 50 }, () => openWithSecret(crypto, secret, sealWithSecret(deps, secret, 'x')));
    expect(new Set(nonces.map(({ nonce }) => nonce)).size).toBe(50);
  });

  it('says "Failed to decrypt message" for another secret, a changed bit and what is no envelope, and never the secret', () => {
    const sealed = sealWithSecret(deps, secret, 'hello');
    const changed = base64.decode(sealed);
    changed[30] = (changed[30] ?? 0) ^ 1;
    const inputs: readonly (readonly [string, string])[] = [
      ['another secret', sealed],
      [secret, base64.encode(changed)],
      [secret, base64.encode(changed.subarray(0, 27))],
      [secret, ''],
      [secret, 'no base64 !'],
    ];
    for (const [key, envelope] of inputs) {
      const error = failure(() => openWithSecret(crypto, key, envelope));
      expect([error.code, error.message]).toEqual(['DECRYPTION_FAILED', 'Failed to decrypt message']);
      expect(JSON.stringify(error.details) + String(error.stack)).not.toContain(secret);
    }
  });

  it('meets 10,000 mutated ones with nothing but that', () => {
    const sealed = utf8(sealWithSecret(deps, secret, 'hello there'));
    const random = seededRandom(3);
    for (let turn = 0; turn < 10_000; turn += 1) {
      const bytes = sealed.slice(0, 1 + ((random.bytes(1)[0] ?? 0) % sealed.length));
      const place = (random.bytes(1)[0] ?? 0) % bytes.length;
      bytes[place] = ((bytes[place] ?? 0) + 1 + ((random.bytes(1)[0] ?? 0) % 90)) & 0x7f;
      expect(failure(() => openWithSecret(crypto, secret, fromUtf8(bytes))).code).toBe('DECRYPTION_FAILED');
    }
  });
});

describe('A signed text', () => {
  const ours = signWithSecret(secret, 'hello');
  it('is HMAC-SHA256 under the secret itself', () => {
    expect(ours).toBe(createHmac('sha256', secret).update('hello').digest('hex'));
    checkWithSecret(secret, 'hello', ours.toUpperCase());
  });

  it.each([
    ['another text', secret, 'hello!', ours],
    ['another secret', 'other', 'hello', ours],
    ['no signature', secret, 'hello', ''],
    ['half of it', secret, 'hello', ours.slice(0, 32)],
  ])('says "HMAC mismatch" for %s', (_, key, text, signature) => {
    const error = failure(() => checkWithSecret(key, text, signature));
    expect([error.code, error.message]).toEqual(['INVALID_SIGNATURE', 'HMAC mismatch']);
  });
});

function failure(work: () => unknown): PeerAiError {
  try {
    work();
  } catch (error) {
    if (PeerAiError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
