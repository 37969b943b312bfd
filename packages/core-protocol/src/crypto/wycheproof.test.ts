import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, fromHex } from '../bytes.ts';
import { nodeCrypto } from '../crypto-node/index.ts';
import { PeerAiError } from '../errors.ts';
import type { AeadName, CryptoProvider } from '../ports/index.ts';
import { nobleCrypto } from './noble.ts';

type Case = Readonly<Record<string, string>> & { readonly tcId: number; readonly size: number };
interface Group {
  readonly type: string;
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly Case[];
}
type Check = (crypto: CryptoProvider, given: Case, group: Group) => boolean;

const folder = join(import.meta.dirname, '../../../../../shared/vectors/wycheproof');
const field = (given: Case, name: string): Uint8Array => fromHex(given[name] ?? '');

/** True when the work gives these bytes; false when it refuses with one of our codes. Anything else is a defect. */
function gives(expected: Uint8Array, code: string, work: () => Uint8Array): boolean {
  try {
    return equalBytes(work(), expected);
  } catch (error) {
    if (PeerAiError.is(error, code)) return false;
    throw error;
  }
}

const aead =
  (name: AeadName): Check =>
  (crypto, given) => {
    const [key, nonce, aad, text] = [field(given, 'key'), field(given, 'iv'), field(given, 'aad'), field(given, 'msg')];
    const sealed = concatBytes(field(given, 'ct'), field(given, 'tag'));
    const opens = gives(text, 'DECRYPTION_FAILED', () => crypto.aead[name].open(key, nonce, sealed, aad));
    return opens && gives(sealed, 'KEY_REFUSED', () => crypto.aead[name].seal(key, nonce, text, aad));
  };

const files: Record<
  string,
  { readonly count: number; readonly check: Check; readonly outside?: (given: Case) => boolean }
> = {
  ed25519: {
    count: 151,
    check: ({ ed25519 }, given, group) =>
      ed25519.verify(field(given, 'sig'), field(given, 'msg'), fromHex(group.publicKey.pk)),
  },
  x25519: {
    count: 518,
    check: ({ x25519 }, given) =>
      gives(field(given, 'shared'), 'KEY_REFUSED', () =>
        x25519.shared(field(given, 'private'), field(given, 'public')),
      ),
    // "acceptable" in Wycheproof; the port refuses an all-zero secret.
    outside: (given) => /^0*$/.test(given['shared'] ?? ''),
  },
  // Our AES-GCM takes 32-byte keys, 12-byte nonces and 16-byte tags; everything else must be refused.
  aes_gcm: {
    count: 316,
    check: aead('aes-256-gcm'),
    outside: (given) => given['key']?.length !== 64 || given['iv']?.length !== 24 || given['tag']?.length !== 32,
  },
  chacha20_poly1305: { count: 325, check: aead('chacha20-poly1305') },
  hkdf_sha256: {
    count: 86,
    check: (crypto, given) =>
      gives(field(given, 'okm'), 'LIMIT_EXCEEDED', () =>
        crypto.hkdfSha256(field(given, 'ikm'), field(given, 'salt'), field(given, 'info'), given.size),
      ),
  },
  mlkem_768: {
    count: 193,
    check: ({ mlKem768 }, given) =>
      gives(field(given, 'K'), 'KEY_REFUSED', () =>
        mlKem768.decapsulate(field(given, 'c'), mlKem768.keys(field(given, 'seed')).secretKey),
      ),
  },
  mlkem_768_encaps: {
    count: 265,
    check: ({ mlKem768 }, given) =>
      gives(concatBytes(field(given, 'c'), field(given, 'K')), 'KEY_REFUSED', () => {
        const { ciphertext, secret } = mlKem768.encapsulate(field(given, 'ek'), field(given, 'm'));
        return concatBytes(ciphertext, secret);
      }),
  },
  mlkem_768_keygen_seed: {
    count: 100,
    check: ({ mlKem768 }, given) =>
      gives(concatBytes(field(given, 'ek'), field(given, 'dk')), 'KEY_REFUSED', () => {
        const { publicKey, secretKey } = mlKem768.keys(field(given, 'seed'));
        return concatBytes(publicKey, secretKey);
      }),
  },
};

/** Skipped, by this name, where ../shared/vectors is absent; the RFCs' own vectors run in the contract suite. */
describe.skipIf(!existsSync(folder)).each(Object.entries({ nobleCrypto, nodeCrypto }))(
  'Wycheproof, %s',
  (_, crypto) => {
    it.each(Object.entries(files))('%s: every case', (name, { count, check, outside = () => false }) => {
      const path = join(folder, `${name}_test.json`);
      const { testGroups } = JSON.parse(readFileSync(path, 'utf8')) as { readonly testGroups: readonly Group[] };
      const wrong: number[] = [];
      let cases = 0;
      for (const group of testGroups) {
        for (const given of group.tests) {
          cases += 1;
          if (check(crypto, given, group) !== (given['result'] !== 'invalid' && !outside(given)))
            wrong.push(given.tcId);
        }
      }
      expect({ cases, wrong }).toEqual({ cases: count, wrong: [] });
    });
  },
);
