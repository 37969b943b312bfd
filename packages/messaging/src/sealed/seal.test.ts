import { fromHex, PeerAiError, toHex, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke';
import { expect, test } from 'vitest';
import { chacha20Poly1305, dhkemX25519, hkdfSha256, rawKey } from '../group/dhkem.ts';
import { hybridKem, hybridKey } from './kem.ts';
import { sealedLimits } from './limits.ts';
import { letterKeyOf, openSealed, pad, sealedSizes, sealTo, unpad } from './seal.ts';

const random = seededRandom(5);
const deps = { crypto, random };
const key = letterKeyOf(crypto, random.bytes(32));
const failure = (code: string) => expect.objectContaining({ code });

test('RFC 9180 A.2.1: base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305', async () => {
  const ikm = fromHex('909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b');
  const suite = new CipherSuite(dhkemX25519(crypto, { bytes: () => ikm }), hkdfSha256, chacha20Poly1305(crypto));
  const receiver = rawKey('public', fromHex('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a'));
  const { encapsulatedSecret, ciphertext } = await suite.Seal(
    receiver,
    fromHex('4265617574792069732074727574682c20747275746820626561757479'),
    { info: fromHex('4f6465206f6e2061204772656369616e2055726e'), aad: fromHex('436f756e742d30') },
  );
  expect(toHex(encapsulatedSecret)).toBe('1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a');
  expect(toHex(ciphertext)).toBe(
    '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  );
});

test('the hybrid is the one of draft-ietf-hpke-pq: another implementation opens ours, and we open its', async () => {
  const theirs = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, chacha20Poly1305(crypto));
  const ours = new CipherSuite(hybridKem(random), hkdfSha256, chacha20Poly1305(crypto));
  const secret = await theirs.DeserializePrivateKey(key.secret, true);
  const sealed = await ours.Seal(hybridKey('public', key.publicKey), utf8('one'), { info: utf8('info') });
  expect(await theirs.Open(secret, sealed.encapsulatedSecret, sealed.ciphertext, { info: utf8('info') })).toEqual(
    utf8('one'),
  );
  const back = await theirs.Seal(await theirs.DeserializePublicKey(key.publicKey), utf8('two'), {});
  expect(await ours.Open(hybridKey('private', key.secret), back.encapsulatedSecret, back.ciphertext, {})).toEqual(
    utf8('two'),
  );
});

test('what is sealed opens with its key, for its purpose, and is another text every time', async () => {
  const sealed = await sealTo(deps, key.publicKey, utf8('hello'), 'letter');
  expect(await openSealed(deps, [letterKeyOf(crypto, random.bytes(32)), key], sealed, 'letter')).toEqual(utf8('hello'));
  expect(await sealTo(deps, key.publicKey, utf8('hello'), 'letter')).not.toEqual(sealed);
  await expect(openSealed(deps, [key], sealed, 'hop')).rejects.toThrow(failure('DECRYPTION_FAILED'));
  const other = { ...letterKeyOf(crypto, random.bytes(32)), id: key.id };
  await expect(openSealed(deps, [other], sealed, 'letter')).rejects.toThrow(failure('DECRYPTION_FAILED'));
  await expect(openSealed(deps, [], sealed, 'letter')).rejects.toThrow(failure('DECRYPTION_FAILED'));
  await expect(sealTo(deps, key.publicKey.slice(1), utf8('x'), 'letter')).rejects.toThrow(failure('KEY_REFUSED'));
  const version2 = sealed.slice();
  version2[1] = 2;
  await expect(openSealed(deps, [key], version2, 'letter')).rejects.toThrow(failure('INVALID_VERSION'));
});

test('padding hides the length up to each class and ends at the largest', async () => {
  for (const [place, size] of sealedLimits.sizeClasses.entries()) {
    const most = random.bytes(3).length + size - 7;
    const content = new Uint8Array(most).fill(3);
    expect(pad(content)).toHaveLength(size);
    expect(unpad(pad(content))).toEqual(content);
    const sealed = await sealTo(deps, key.publicKey, pad(content), 'letter');
    expect(sealed).toHaveLength(sealedSizes[place] ?? 0);
    const next = sealedLimits.sizeClasses[place + 1];
    if (next === undefined) expect(() => pad(new Uint8Array(most + 1))).toThrow(failure('LIMIT_EXCEEDED'));
    else expect(pad(new Uint8Array(most + 1))).toHaveLength(next);
  }
  const dirty = pad(utf8('a'));
  dirty[900] = 1;
  const long = pad(utf8('a'));
  long[0] = 255;
  for (const bad of [dirty, long, new Uint8Array(3), new Uint8Array(1_025)]) {
    expect(() => unpad(bad)).toThrow(failure('INVALID_FORMAT'));
  }
});

test('10,000 mutated sealed texts: our errors only, and never another content', async () => {
  const sealed = await sealTo(deps, key.publicKey, utf8('hello'), 'letter');
  for (let turn = 0; turn < 10_000; turn += 1) {
    const [high = 0, low = 0, mask = 1, kind = 0] = random.bytes(4);
    const bytes = sealed.slice();
    const place = ((high << 8) | low) % bytes.length;
    bytes[place] = (bytes[place] ?? 0) ^ (mask === 0 ? 1 : mask);
    try {
      // Most only have to be parsed: opening takes 7 ms.
      const keys = turn % 50 === 0 ? [key] : [];
      expect(await openSealed(deps, keys, kind % 3 === 0 ? bytes.slice(0, place) : bytes, 'letter')).toBe(undefined);
    } catch (error) {
      if (!PeerAiError.is(error)) throw error;
    }
  }
}, 30_000);
