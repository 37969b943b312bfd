import { RSABSSA } from '@cloudflare/blindrsa-ts';
import { PeerAiError } from '@peerai/core-protocol';
import { governanceLimits as limits } from './limits.ts';
import type { BallotVerifier } from './secret.ts';

/** RSA keys of one vote. */
export interface BallotKeys {
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** PKCS #8. */
  readonly privateKey: Uint8Array;
}
export interface Blinded {
  /** 32 random bytes that go in front of the message. */
  readonly prefix: Uint8Array;
  readonly blinded: Uint8Array;
  /** Secret: who has it can tie the signature to the question. */
  readonly inverse: Uint8Array;
}
/** Blind signatures for votes: RSABSSA-SHA384-PSS-Randomized of RFC 9474, by @cloudflare/blindrsa-ts on WebCrypto. */
export interface BallotBooth extends BallotVerifier {
  makeKeys(): Promise<BallotKeys>;
  /** RFC 9474 section 4.1 and 4.2. Throws INVALID_FORMAT for what is no such key. */
  blind(publicKey: Uint8Array, message: Uint8Array): Promise<Blinded>;
  /** Section 4.3. Throws INVALID_FORMAT, for a key of another size as well. */
  sign(privateKey: Uint8Array, blinded: Uint8Array): Promise<Uint8Array>;
  /** Section 4.4. Throws INVALID_SIGNATURE when the answer is no signature of what was asked. */
  finish(publicKey: Uint8Array, message: Uint8Array, asked: Blinded, answer: Uint8Array): Promise<Uint8Array>;
}

const suite = RSABSSA.SHA384.PSS.Randomized();
const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
const prefixBytes = 32;

/** @param bits - of the modulus; no other key is taken. */
export function createBallotBooth(bits: number = limits.ballotKeyBits): BallotBooth {
  const expected = <T extends { readonly algorithm: unknown }>(key: T): T => {
    const { modulusLength, publicExponent } = key.algorithm as RsaFacts;
    return modulusLength === bits && publicExponent.join() === '1,0,1' ? key : wrongKey();
  };
  const importPublic = async (key: Uint8Array) => {
    const { subtle } = globalThis.crypto;
    return expected(await subtle.importKey('spki', key.slice(), algorithm, true, ['verify']).catch(wrongKey));
  };
  const importPrivate = async (key: Uint8Array) => {
    const { subtle } = globalThis.crypto;
    return expected(await subtle.importKey('pkcs8', key.slice(), algorithm, true, ['sign']).catch(wrongKey));
  };
  return {
    async makeKeys() {
      const { subtle } = globalThis.crypto;
      const publicExponent = Uint8Array.of(1, 0, 1);
      const pair = await suite.generateKey({ modulusLength: bits, publicExponent });
      return {
        publicKey: new Uint8Array(await subtle.exportKey('spki', pair.publicKey)),
        privateKey: new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey)),
      };
    },
    async blind(publicKey, message) {
      const key = await importPublic(publicKey);
      const prepared = suite.prepare(message);
      const { blindedMsg: blinded, inv: inverse } = await suite.blind(key, prepared);
      return { prefix: prepared.slice(0, prefixBytes), blinded, inverse };
    },
    async sign(privateKey, blinded) {
      const key = await importPrivate(privateKey);
      return suite.blindSign(key, blinded).catch((cause: unknown) => {
        throw new PeerAiError('INVALID_FORMAT', 'this is no blinded ballot', {}, { cause });
      });
    },
    async finish(publicKey, message, { prefix, inverse }, answer) {
      const key = await importPublic(publicKey);
      const prepared = Uint8Array.from([...prefix, ...message]);
      return suite.finalize(key, prepared, answer, inverse).catch((cause: unknown) => {
        throw new PeerAiError('INVALID_SIGNATURE', 'the answer is no signature of this ballot', {}, { cause });
      });
    },
    async verify(publicKey, message, signature) {
      try {
        return await suite.verify(await importPublic(publicKey), signature, message);
      } catch (error) {
        if (PeerAiError.is(error, 'INVALID_FORMAT')) return false;
        throw error;
      }
    },
  };
}

interface RsaFacts {
  readonly modulusLength: number;
  readonly publicExponent: Uint8Array;
}
function wrongKey(cause?: unknown): never {
  throw new PeerAiError('INVALID_FORMAT', `no RSA key of the size of a ballot`, {}, { cause });
}
