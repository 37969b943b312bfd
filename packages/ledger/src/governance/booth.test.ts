import { concatBytes, fromHex, toBase64Url, toHex, utf8 } from '@peerai/core-protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { rfc9474 } from '../../test/rfc9474.ts';
import { type BallotKeys, createBallotBooth } from './booth.ts';
import { governanceLimits as limits } from './limits.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

test('RFC 9474 appendix A.1: the blinding is taken away and the signature verified, as written there', async () => {
  const booth = createBallotBooth(4_096);
  const { subtle } = globalThis.crypto;
  const n = fromHex((BigInt(`0x${rfc9474.p}`) * BigInt(`0x${rfc9474.q}`)).toString(16));
  const jwk = { kty: 'RSA', n: toBase64Url(n), e: 'AQAB' };
  const key = await subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, true, ['verify']);
  const publicKey = new Uint8Array(await subtle.exportKey('spki', key));
  const [prefix, message] = [fromHex(rfc9474.prefix), fromHex(rfc9474.message)];
  const asked = { prefix, blinded: fromHex(rfc9474.blinded), inverse: fromHex(rfc9474.inverse) };
  const signature = await booth.finish(publicKey, message, asked, fromHex(rfc9474.blindSignature));
  expect(toHex(signature)).toBe(rfc9474.signature);
  expect(await booth.verify(publicKey, concatBytes(prefix, message), signature)).toBe(true);
  expect(await booth.verify(publicKey, message, signature)).toBe(false);
});

/** A public key with a modulus of exactly so many bits; nobody has its other half. */
async function publicKeyOf(bits: number): Promise<Uint8Array> {
  const hex = (2n ** BigInt(bits - 1) + 15n).toString(16);
  const jwk = { kty: 'RSA', n: toBase64Url(fromHex(hex.padStart(2 * Math.ceil(bits / 8), '0'))), e: 'AQAB' };
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, true, ['verify']);
  return new Uint8Array(await subtle.exportKey('spki', key));
}

describe('a ballot', () => {
  const booth = createBallotBooth();
  const message = utf8('a token');
  let keys: BallotKeys;
  let other: BallotKeys;
  beforeAll(async () => {
    [keys, other] = await Promise.all([booth.makeKeys(), booth.makeKeys()]);
  });

  test('is signed by who does not see it, and by nobody else', async () => {
    const asked = await booth.blind(keys.publicKey, message);
    const signature = await booth.finish(
      keys.publicKey,
      message,
      asked,
      await booth.sign(keys.privateKey, asked.blinded),
    );
    const whole = concatBytes(asked.prefix, message);
    expect(await booth.verify(keys.publicKey, whole, signature)).toBe(true);
    expect(await booth.verify(other.publicKey, whole, signature)).toBe(false);
    expect(await booth.verify(keys.publicKey, concatBytes(asked.prefix, utf8('a tokem')), signature)).toBe(false);
    const wrong = signature.toReversed();
    await expect(booth.finish(keys.publicKey, message, asked, wrong)).rejects.toThrow(code('INVALID_SIGNATURE'));
  });

  test('takes keys of its own size alone', async () => {
    const short = await createBallotBooth(1_024).makeKeys();
    for (const key of [short.publicKey, utf8('no key'), new Uint8Array()]) {
      await expect(booth.blind(key, message)).rejects.toThrow(code('INVALID_FORMAT'));
      expect(await booth.verify(key, message, new Uint8Array(256))).toBe(false);
    }
    const asked = await createBallotBooth(1_024).blind(short.publicKey, message);
    for (const [key, blinded] of [
      [short.privateKey, asked.blinded],
      [utf8('no key'), message],
    ] as const)
      await expect(booth.sign(key, blinded)).rejects.toThrow(code('INVALID_FORMAT'));
  });

  test('is asked for with a key of `ballotKeyBits`, not with one of a bit less or more', async () => {
    const { blinded } = await booth.blind(keys.publicKey, message);
    expect(8 * blinded.length).toBe(limits.ballotKeyBits);
    for (const bits of [limits.ballotKeyBits - 1, limits.ballotKeyBits + 1])
      await expect(booth.blind(await publicKeyOf(bits), message)).rejects.toThrow(code('INVALID_FORMAT'));
  });
});
