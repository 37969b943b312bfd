import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '../../bytes.ts';
import type { Aead, CryptoProvider } from '../../ports/index.ts';

/** What every CryptoProvider computes: the vectors printed in the RFCs, and what must be refused. */
export function cryptoContract(name: string, crypto: CryptoProvider): void {
  const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);

  describe(`${name} keeps the CryptoProvider contract`, () => {
    it('hashes as FIPS 180-4 says, in one piece or several', () => {
      const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
      expect(toHex(crypto.sha256(utf8('abc')))).toBe(abc);
      expect(toHex(crypto.sha256(utf8('a'), utf8(''), utf8('bc')))).toBe(abc);
      expect(toHex(crypto.sha256()).slice(0, 8)).toBe('e3b0c442');
    });

    it.each(rfc5869)('derives keys as RFC 5869 $case', ({ secret, salt, info, length, key }) => {
      expect(toHex(crypto.hkdfSha256(fromHex(secret), fromHex(salt), fromHex(info), length))).toBe(key);
    });

    it.each(rfc8032)('signs and verifies as RFC 8032 $case', ({ seed, publicKey, message, signature }) => {
      expect(toHex(crypto.ed25519.publicKey(fromHex(seed)))).toBe(publicKey);
      expect(toHex(crypto.ed25519.sign(fromHex(message), fromHex(seed)))).toBe(signature);
      expect(crypto.ed25519.verify(fromHex(signature), fromHex(message), fromHex(publicKey))).toBe(true);
    });

    it('answers false to any signature it does not accept, and never throws', () => {
      const seed = bytes(32);
      const message = utf8('message');
      const publicKey = crypto.ed25519.publicKey(seed);
      const signature = crypto.ed25519.sign(message, seed);
      const verify: typeof crypto.ed25519.verify = (...given) => crypto.ed25519.verify(...given);
      expect(verify(signature, message, publicKey)).toBe(true);
      for (let bit = 0; bit < 512; bit += 1) expect(verify(flip(signature, bit), message, publicKey)).toBe(false);
      expect(verify(signature, utf8('massage'), publicKey)).toBe(false);
      for (const wrong of [0, 63, 65]) expect(verify(bytes(wrong), message, publicKey)).toBe(false);
      for (const wrong of [0, 31, 33, 64]) expect(verify(signature, message, bytes(wrong))).toBe(false);
      expect(verify(concatBytes(signature, bytes(1)), message, publicKey)).toBe(false);
      expect(verify(addOrder(signature), message, publicKey)).toBe(false);
    });

    it.each(smallOrderKeys)('refuses the Ed25519 key of small order, or written a second way, %s', (key) => {
      // S = 0 and R = A make the equation true for a key of order 1, 2 … when k happens to fit.
      const signature = concatBytes(fromHex(key), bytes(32, 0));
      for (let turn = 0; turn < 16; turn += 1) {
        expect(crypto.ed25519.verify(signature, Uint8Array.of(turn), fromHex(key))).toBe(false);
      }
    });

    it('agrees on a secret as RFC 7748 section 6.1, and refuses a key that gives zero', () => {
      const [alice, bob] = [fromHex(rfc7748.alice), fromHex(rfc7748.bob)];
      expect(toHex(crypto.x25519.publicKey(alice))).toBe(rfc7748.alicePublic);
      expect(toHex(crypto.x25519.shared(alice, crypto.x25519.publicKey(bob)))).toBe(rfc7748.shared);
      expect(toHex(crypto.x25519.shared(bob, crypto.x25519.publicKey(alice)))).toBe(rfc7748.shared);
      for (const zero of [bytes(32, 0), concatBytes(Uint8Array.of(1), bytes(31, 0))]) {
        expect(() => crypto.x25519.shared(alice, zero)).toThrow(expect.objectContaining({ code: 'KEY_REFUSED' }));
      }
    });

    it('encapsulates with ML-KEM-768 from its seeds alone, and hides a wrong ciphertext behind another secret', () => {
      const { publicKey, secretKey } = crypto.mlKem768.keys(bytes(64));
      const { ciphertext, secret } = crypto.mlKem768.encapsulate(publicKey, bytes(32));
      expect([publicKey.length, ciphertext.length, secret.length]).toEqual([1184, 1088, 32]);
      expect(crypto.mlKem768.encapsulate(publicKey, bytes(32)).ciphertext).toEqual(ciphertext);
      expect(crypto.mlKem768.decapsulate(ciphertext, secretKey)).toEqual(secret);
      expect(crypto.mlKem768.decapsulate(flip(ciphertext, 9), secretKey)).not.toEqual(secret);
    });

    it.each(['aes-256-gcm', 'chacha20-poly1305'] as const)('opens with %s only what was sealed', (aead) => {
      const seal: Aead['seal'] = (...given) => crypto.aead[aead].seal(...given);
      const open: Aead['open'] = (...given) => crypto.aead[aead].open(...given);
      const [key, nonce, header, plain] = [bytes(32), bytes(12), utf8('header'), utf8('plain')];
      const sealed = seal(key, nonce, plain, header);
      expect(sealed.length).toBe(plain.length + 16);
      expect(open(key, nonce, sealed, header)).toEqual(plain);
      expect(open(key, nonce, seal(key, nonce, bytes(0), bytes(0)), bytes(0))).toEqual(bytes(0));
      const failed = expect.objectContaining({ code: 'DECRYPTION_FAILED' });
      for (let bit = 0; bit < sealed.length * 8; bit += 1) {
        expect(() => open(key, nonce, flip(sealed, bit), header)).toThrow(failed);
      }
      expect(() => open(key, flip(nonce, 0), sealed, header)).toThrow(failed);
      expect(() => open(key, nonce, sealed, utf8('Header'))).toThrow(failed);
      for (const cut of [0, 1, 15, 16]) expect(() => open(key, nonce, sealed.slice(0, cut), header)).toThrow(failed);
      expect(() => open(bytes(31), nonce, sealed, header)).toThrow(failed);
      expect(() => open(key, bytes(11), sealed, header)).toThrow(failed);
    });

    it('refuses secrets and nonces of another length', () => {
      const refused = expect.objectContaining({ code: 'KEY_REFUSED' });
      for (const length of [0, 31, 33]) {
        expect(() => crypto.ed25519.publicKey(bytes(length))).toThrow(refused);
        expect(() => crypto.ed25519.sign(bytes(1), bytes(length))).toThrow(refused);
        expect(() => crypto.x25519.publicKey(bytes(length))).toThrow(refused);
        expect(() => crypto.x25519.shared(bytes(32), bytes(length))).toThrow(refused);
        expect(() => crypto.mlKem768.keys(bytes(length * 2))).toThrow(refused);
        expect(() => crypto.mlKem768.decapsulate(bytes(length), bytes(2400))).toThrow(refused);
        for (const aead of Object.values(crypto.aead)) {
          expect(() => aead.seal(bytes(length), bytes(12), bytes(1), bytes(0))).toThrow(refused);
          expect(() => aead.seal(bytes(32), bytes(length), bytes(1), bytes(0))).toThrow(refused);
        }
      }
    });
  });
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** The same signature with S + L in place of S: a second text of one signature, refused by RFC 8032. */
function addOrder(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const copy = signature.slice();
  let sum = order;
  for (let index = 63; index >= 32; index -= 1) sum += BigInt(copy[index] ?? 0) << BigInt(8 * (index - 32));
  for (let index = 32; index < 64; index += 1) copy[index] = Number((sum >> BigInt(8 * (index - 32))) & 255n);
  return copy;
}

/** Points of order 1, 2, 4 and 8, and the encodings of the same points with y + p (libsodium's blocklist). */
const smallOrderKeys = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

/** RFC 8032 section 7.1. */
const rfc8032 = [
  {
    case: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    case: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    case: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

/** RFC 7748 section 6.1. */
const rfc7748 = {
  alice: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  alicePublic: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  bob: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
  shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
};

/** RFC 5869 appendix A. */
const rfc5869 = [
  {
    case: 'A.1',
    secret: '0b'.repeat(22),
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    length: 42,
    key: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    case: 'A.3',
    secret: '0b'.repeat(22),
    salt: '',
    info: '',
    length: 42,
    key: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
];
