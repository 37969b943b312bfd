import { type CryptoProvider, PeerAiError } from '@peerai/core-protocol';
import type { Ciphertext, Encryptor } from 'node-seal';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { degree, loadSeal, type Seal } from './seal.ts';
import { encode, expectKey, type Header, headerBytes, pack, packedBytes, readHeader, unpack } from './wire.ts';

/** The secret key of one sum. It opens one total and is gone: a key that answers again and again gives itself away. */
export interface SumKey {
  /** For the members, and for who adds up; 122,896 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The sum, as `fromFixedPoint` takes it, and of how many. Throws what decoding throws, without using the key up; TOO_FEW_UPDATES below three addends;
   * REFUSED for a total with more noise than its addends explain or a sum beyond 32 bits (somebody's addend was none; what goes once around 2^33 is not
   * noticed), and when it was opened already.
   */
  open(total: Uint8Array): { readonly words: Uint32Array; readonly count: number };
  /** Frees the key. */
  close(): void;
}

/** What somebody who cannot read them adds up. It holds 131 kB for each 4,096 numbers until `close`. */
export interface EncryptedTotal {
  readonly count: number;
  /** Throws INVALID_VERSION, INVALID_FORMAT (also for another key or size); LIMIT_REACHED with more members than are allowed. */
  add(addend: Uint8Array): void;
  /** For who holds the key. Throws TOO_FEW_UPDATES below three addends: with two, each would know the other's. */
  take(): Uint8Array;
  close(): void;
}

export interface HomomorphicSums {
  createKey(): SumKey;
  /** A member's numbers, as `toFixedPoint` makes them. Throws LIMIT_REACHED for too many, INVALID_OPTION for none, and what decoding the key throws. */
  encrypt(publicKey: Uint8Array, words: Uint32Array): Uint8Array;
  /** @param size - numbers of each member. Throws as `encrypt`. */
  createTotal(publicKey: Uint8Array, size: number): EncryptedTotal;
}

const membersMin = 3;
const one = { count: 1 } as const;

/** Loads the library (1.3 MB of WebAssembly, about 20 ms). Throws ENGINE_MISSING when the optional package `node-seal` is not installed. */
export async function loadHomomorphicSums(crypto: Pick<CryptoProvider, 'sha256'>): Promise<HomomorphicSums> {
  const seal = await loadSeal();
  const { library, context } = seal;
  const encoder = new library.BatchEncoder(context);
  const none = library.ComprModeType.none;
  const plain = new library.Plaintext();
  const scratch = new library.Ciphertext();
  const keyIdOf = (packed: Uint8Array): Uint8Array => crypto.sha256(packed).slice(0, 8);
  const saved = (ciphertext: Ciphertext): Uint8Array =>
    pack(seal.ciphertext, ciphertext.saveToArray(none) as Uint8Array);

  function withEncryptor<T>(publicKey: Uint8Array, work: (encryptor: Encryptor, keyId: Uint8Array) => T): T {
    const header = readHeader(publicKey, 'key');
    if (header.count !== 0 || header.size !== 0) throw wrong('A key has no addends.');
    const packed = publicKey.subarray(headerBytes);
    const bytes = unpack(seal.publicKey, packed);
    const keyId = keyIdOf(packed);
    expectKey(header, keyId);
    const key = new library.PublicKey();
    key.loadFromArray(context, bytes);
    const encryptor = new library.Encryptor(context, key);
    try {
      return work(encryptor, keyId);
    } finally {
      encryptor.delete();
      key.delete();
    }
  }

  return {
    createKey() {
      const generator = new library.KeyGenerator(context);
      const key = generator.createPublicKey();
      const secret = generator.secretKey();
      const packed = pack(seal.publicKey, key.saveToArray(none) as Uint8Array);
      const keyId = keyIdOf(packed);
      const decryptor = new library.Decryptor(context, secret);
      let closed = false;
      const close = (): void => {
        if (closed) return;
        closed = true;
        for (const handle of [decryptor, secret, key, generator]) handle.delete();
      };
      return {
        publicKey: encode({ kind: 'key', count: 0, size: 0, keyId }, packed),
        open(total) {
          const header = readTotal(total, keyId);
          const parts = partsOf(seal, total, header.size);
          if (closed) throw refused('This key has opened its sum already.');
          try {
            const words = new Uint32Array(header.size);
            for (const [part, bytes] of parts.entries()) {
              scratch.loadFromArray(context, bytes);
              if (decryptor.invariantNoiseBudget(scratch) < limits.homomorphicNoiseBitsMin)
                throw refused(
                  'The sum has more noise than its addends explain: somebody’s was none, or of another key.',
                );
              decryptor.decrypt(scratch, plain);
              words.set(
                wordsOf(encoder.decodeBigInt64(plain) as BigInt64Array, header.size - part * degree),
                part * degree,
              );
            }
            return { words, count: header.count };
          } finally {
            close();
          }
        },
        close,
      };
    },
    encrypt(publicKey, words) {
      checkSize(words.length);
      return withEncryptor(publicKey, (encryptor, keyId) => {
        const parts = Array.from({ length: Math.ceil(words.length / degree) }, (_, part) => {
          const some = words.subarray(part * degree, (part + 1) * degree);
          encoder.encode(
            BigInt64Array.from(some, (word) => BigInt(word | 0)),
            plain,
          );
          encryptor.encrypt(plain, scratch);
          return saved(scratch);
        });
        plain.setZero();
        return encode({ kind: 'addend', ...one, size: words.length, keyId }, ...parts);
      });
    },
    createTotal(publicKey, size) {
      checkSize(size);
      return withEncryptor(publicKey, (encryptor, keyId) => {
        const sums = Array.from({ length: Math.ceil(size / degree) }, () => {
          const zero = new library.Ciphertext();
          encryptor.encryptZero(zero);
          return zero;
        });
        return totalOf({ seal, sums, scratch, saved }, size, keyId);
      });
    },
  };
}

interface Adding {
  readonly seal: Seal;
  /** Begins with encryptions of zero: so no addends of a liar take each other's randomness away. */
  readonly sums: Ciphertext[];
  readonly scratch: Ciphertext;
  readonly saved: (ciphertext: Ciphertext) => Uint8Array;
}

function totalOf({ seal, sums, scratch, saved }: Adding, size: number, keyId: Uint8Array): EncryptedTotal {
  const { library, context } = seal;
  const evaluator = new library.Evaluator(context);
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(addend) {
      if (count >= limits.homomorphicMembersMax) throw tooMany('members', limits.homomorphicMembersMax, count + 1);
      const header = readHeader(addend, 'addend');
      expectKey(header, keyId);
      if (header.size !== size || header.count !== 1) throw wrong('The addend has another size than the sum.');
      // All parts are read before the first is added: an addend counts whole or not at all.
      for (const [part, bytes] of partsOf(seal, addend, size).entries()) {
        scratch.loadFromArray(context, bytes);
        const sum = sums[part];
        if (sum !== undefined) evaluator.addInplace(sum, scratch);
      }
      count += 1;
    },
    take() {
      if (count < membersMin) throw tooFew(count);
      return encode({ kind: 'total', count, size, keyId }, ...sums.map(saved));
    },
    close() {
      for (const handle of [...sums.splice(0), evaluator]) if (!handle.isDeleted()) handle.delete();
    },
  };
}

function readTotal(total: Uint8Array, keyId: Uint8Array): Header {
  const header = readHeader(total, 'total');
  expectKey(header, keyId);
  checkSize(header.size);
  if (header.count < membersMin) throw tooFew(header.count);
  if (header.count > limits.homomorphicMembersMax) throw tooMany('members', limits.homomorphicMembersMax, header.count);
  return header;
}

/** The ciphertexts of a message, as SEAL reads them. Throws INVALID_FORMAT. */
function partsOf(seal: Seal, message: Uint8Array, size: number): readonly Uint8Array[] {
  const [count, bytes] = [Math.ceil(size / degree), packedBytes(seal.ciphertext)];
  if (message.length !== headerBytes + count * bytes) throw wrong('The message has another length than it says.');
  return Array.from({ length: count }, (_, part) =>
    unpack(seal.ciphertext, message.subarray(headerBytes + part * bytes, headerBytes + (part + 1) * bytes)),
  );
}

/** Throws REFUSED for a sum beyond 32 bits: its parts were none of a common scale. */
function wordsOf(slots: BigInt64Array, count: number): Uint32Array {
  return Uint32Array.from(slots.subarray(0, Math.min(count, degree)), (slot) => {
    if (BigInt.asIntN(32, slot) !== slot)
      throw refused('A sum does not fit into 32 bits: somebody’s number was too large.');
    return Number(slot);
  });
}

function checkSize(size: number): void {
  if (size > limits.homomorphicElementsMax) throw tooMany('numbers', limits.homomorphicElementsMax, size);
  if (!Number.isSafeInteger(size) || size < 1)
    throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'A sum has one number at least.', { size });
}

const refused = (text: string): PeerAiError => new PeerAiError('REFUSED', text);
const wrong = (text: string): PeerAiError => new PeerAiError<NnErrorCode>('INVALID_FORMAT', text);
const tooFew = (count: number): PeerAiError =>
  new PeerAiError<NnErrorCode>('TOO_FEW_UPDATES', 'A sum of fewer than three shows what is in it.', { count });
const tooMany = (what: string, limit: number, received: number): PeerAiError =>
  new PeerAiError<NnErrorCode>('LIMIT_REACHED', `A homomorphic sum has ${limit} ${what} at most.`, { limit, received });
