import { concatBytes, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import { fromFixedPoint, toFixedPoint } from '../index.ts';
import { loadHomomorphicSums, type SumKey } from './index.ts';
import { degree, loadSeal } from './seal.ts';
import { encode, headerBytes, pack, packedBytes, readHeader, unpack } from './wire.ts';

const sums = await loadHomomorphicSums(crypto);
const seal = await loadSeal();
const random = seededRandom(5);
const key = sums.createKey();
const code = (expected: string) => expect.objectContaining({ code: expected });
const addendOf = (words: readonly number[], to = key.publicKey) => sums.encrypt(to, Uint32Array.from(words));

/** What the key opens of these addends. */
function opened(addends: readonly Uint8Array[], size: number, own: SumKey, to = own.publicKey) {
  const total = sums.createTotal(to, size);
  try {
    for (const addend of addends) total.add(addend);
    return own.open(total.take());
  } finally {
    total.close();
  }
}

/** The same total again and again, so that its noise grows by a bit each time. */
function noisy(own: SumKey, bits: number): Uint8Array {
  const total = sums.createTotal(own.publicKey, 1);
  for (let turn = 0; turn < 3; turn += 1) total.add(addendOf([1], own.publicKey));
  const bytes = total.take();
  const { library, context } = seal;
  const [ciphertext, evaluator] = [new library.Ciphertext(), new library.Evaluator(context)];
  ciphertext.loadFromArray(context, unpack(seal.ciphertext, bytes.subarray(headerBytes)));
  for (let turn = 0; turn < bits; turn += 1) evaluator.addInplace(ciphertext, ciphertext);
  const packed = pack(seal.ciphertext, ciphertext.saveToArray(library.ComprModeType.none) as Uint8Array);
  return concatBytes(bytes.subarray(0, headerBytes), packed);
}

describe('a homomorphic sum', () => {
  it('is exactly the plain sum of signed numbers, over more than one ciphertext', () => {
    const [size, own] = [degree + 3, sums.createKey()];
    const scale = { elementMax: 2, members: 4 };
    const inputs = Array.from({ length: 4 }, (_, member) =>
      toFixedPoint(
        Float32Array.from({ length: size }, (_value, index) => 2 * Math.sin(index * 7 + member)),
        scale,
      ),
    );
    const plain = new Uint32Array(size);
    for (const input of inputs) for (const [index, word] of input.entries()) plain[index] = (plain[index] ?? 0) + word;
    const addends = inputs.map((input) => sums.encrypt(own.publicKey, input));
    const { words, count } = opened(addends, size, own);
    expect(words).toEqual(plain);
    expect(count).toBe(4);
    expect(fromFixedPoint(words, scale)[1]).toBeCloseTo(
      2 * [7, 8, 9, 10].reduce((all, at) => all + Math.sin(at), 0),
      5,
    );
  });

  it('holds the most members with the largest numbers on both sides of zero, and refuses one member more', () => {
    const own = sums.createKey();
    const most = Math.floor((2 ** 31 - 1) / limits.homomorphicMembersMax);
    const addend = addendOf([most, -most, 1], own.publicKey);
    const total = sums.createTotal(own.publicKey, 3);
    for (let member = 0; member < limits.homomorphicMembersMax; member += 1) total.add(addend);
    expect(() => total.add(addend)).toThrow(code('LIMIT_REACHED'));
    const { words, count } = own.open(total.take());
    total.close();
    expect([...new Int32Array(words.buffer)]).toEqual([most * 255, -most * 255, 255]);
    expect(count).toBe(limits.homomorphicMembersMax);
  });

  it('takes as many numbers as the limit allows, and not one more, and not none', () => {
    const words = Uint32Array.from({ length: limits.homomorphicElementsMax + 1 }, (_, index) => index);
    const largest = words.subarray(0, -1);
    expect(sums.encrypt(key.publicKey, largest)).toHaveLength(headerBytes + 16 * packedBytes(seal.ciphertext));
    expect(() => sums.encrypt(key.publicKey, words)).toThrow(code('LIMIT_REACHED'));
    expect(() => sums.createTotal(key.publicKey, words.length)).toThrow(code('LIMIT_REACHED'));
    expect(() => sums.createTotal(key.publicKey, 0)).toThrow(code('INVALID_OPTION'));
    expect(() => addendOf([])).toThrow(code('INVALID_OPTION'));
  });

  it('an addend shows nothing: the same numbers twice have no run of bytes in common', () => {
    const [one, two] = [addendOf([1, 2, 3]), addendOf([1, 2, 3])];
    expect(one.subarray(0, headerBytes)).toEqual(two.subarray(0, headerBytes));
    const same = one.subarray(headerBytes).filter((byte, index) => byte === two[headerBytes + index]);
    // A tenth of the bytes are the top four bits of coefficients; of all others one in 256 is equal by chance.
    expect(same.length).toBeLessThan(one.length * 0.03);
  });

  it('what SEAL puts before the coefficients is the same for every ciphertext and key, so it never travels', () => {
    const { library, context, ciphertext, publicKey } = seal;
    const none = library.ComprModeType.none;
    const made = new library.KeyGenerator(context).createPublicKey();
    const bytes = made.saveToArray(none) as Uint8Array;
    expect(bytes.subarray(0, publicKey.prefix.length)).toEqual(publicKey.prefix);
    expect(unpack(publicKey, pack(publicKey, bytes))).toEqual(bytes);
    const [encryptor, sum] = [new library.Encryptor(context, made), new library.Ciphertext()];
    encryptor.encryptZero(sum);
    new library.Evaluator(context).addInplace(sum, sum);
    const total = sum.saveToArray(none) as Uint8Array;
    expect(unpack(ciphertext, pack(ciphertext, total))).toEqual(total);
  });
});

describe('the key of a sum', () => {
  it('opens one total and no second, and none of fewer than three', () => {
    const own = sums.createKey();
    const total = sums.createTotal(own.publicKey, 1);
    total.add(addendOf([1], own.publicKey));
    total.add(addendOf([2], own.publicKey));
    expect(() => total.take()).toThrow(code('TOO_FEW_UPDATES'));
    total.add(addendOf([3], own.publicKey));
    const bytes = total.take();
    const two = bytes.slice();
    two[3] = 2;
    expect(() => own.open(two)).toThrow(code('TOO_FEW_UPDATES'));
    expect([...own.open(bytes).words]).toEqual([6]);
    expect(() => own.open(bytes)).toThrow(code('REFUSED'));
    total.close();
    own.close();
  });

  it('opens a total whose noise leaves as many bits as it must, and not much less', () => {
    const [here, there] = [sums.createKey(), sums.createKey()];
    let doublings = 0;
    const budget = (own: SumKey, times: number) => {
      try {
        return own.open(noisy(own, times)).words;
      } catch (error) {
        return error;
      }
    };
    // Fresh addends leave 30 or 31 bits: the first doubling that is refused is looked for with a key each.
    while (budget(sums.createKey(), doublings + 1) instanceof Uint32Array) doublings += 1;
    expect(doublings).toBeGreaterThanOrEqual(30 - limits.homomorphicNoiseBitsMin - 1);
    expect(doublings).toBeLessThanOrEqual(32 - limits.homomorphicNoiseBitsMin);
    expect(budget(here, doublings)).toEqual(Uint32Array.of(3 * 2 ** doublings));
    expect(budget(there, doublings + 2)).toEqual(code('REFUSED'));
  });

  it('refuses a sum that an addend under another key’s name has spoiled, and one beyond 32 bits', () => {
    const [own, other] = [sums.createKey(), sums.createKey()];
    const foreign = addendOf([1], other.publicKey);
    const honest = [addendOf([1], own.publicKey), addendOf([2], own.publicKey)];
    expect(() => opened([...honest, foreign], 1, own)).toThrow(code('INVALID_FORMAT'));
    const forged = concatBytes(honest[0]?.subarray(0, headerBytes) ?? foreign, foreign.subarray(headerBytes));
    expect(() => opened([...honest, forged], 1, own)).toThrow(code('REFUSED'));
    const wide = sums.createKey();
    const large = [addendOf([2 ** 31 - 1], wide.publicKey), addendOf([1], wide.publicKey)];
    expect(() => opened([...large, large[0] ?? foreign], 1, wide)).toThrow(code('REFUSED'));
    other.close();
  });
});

describe('bytes of a stranger', () => {
  it('with another size, kind, version, count or length are refused by name', () => {
    const total = sums.createTotal(key.publicKey, 2);
    const addend = addendOf([1, 2]);
    const header = readHeader(addend, 'addend');
    const body = addend.subarray(headerBytes);
    expect(() => total.add(addendOf([1, 2, 3]))).toThrow(code('INVALID_FORMAT'));
    expect(() => total.add(encode({ ...header, count: 2 }, body))).toThrow(code('INVALID_FORMAT'));
    expect(() => total.add(encode({ ...header, kind: 'total' }, body))).toThrow(code('INVALID_FORMAT'));
    expect(() => total.add(addend.subarray(0, -1))).toThrow(code('INVALID_FORMAT'));
    expect(() => total.add(concatBytes(addend, Uint8Array.of(0)))).toThrow(code('INVALID_FORMAT'));
    const later = addend.slice();
    later[0] = 2;
    expect(() => total.add(later)).toThrow(code('INVALID_VERSION'));
    const [first = 0] = seal.ciphertext.moduli;
    const atModulus = body.slice();
    for (let byte = 0, left = first; byte < 5; byte += 1, left = Math.floor(left / 256)) atModulus[byte] = left % 256;
    expect(() => total.add(encode(header, atModulus))).toThrow(code('INVALID_FORMAT'));
    atModulus[0] = (atModulus[0] ?? 0) - 1;
    total.add(encode(header, atModulus));
    expect(total.count).toBe(1);
    total.close();
  });

  it('mutated ten thousand times give an error with a code, or an addend', () => {
    const addend = addendOf([1, 2]);
    const total = { now: sums.createTotal(key.publicKey, 2) };
    const [head, rest] = [addend.subarray(0, headerBytes + 5), addend.subarray(headerBytes + 5)];
    let [refused, taken] = [0, 0];
    for (let turn = 0; turn < 10_000; turn += 1)
      try {
        // The body is one long row of numbers: most changes go to what comes before it and to its first number.
        if (total.now.count === limits.homomorphicMembersMax) {
          total.now.close();
          total.now = sums.createTotal(key.publicKey, 2);
        }
        total.now.add(concatBytes(mutated(head, random), rest));
        taken += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(PeerAiError);
        refused += 1;
      }
    total.now.close();
    expect(refused).toBeGreaterThan(5_000);
    expect(taken).toBeGreaterThan(100);
  });

  it('as public keys, mutated a thousand times, give an error with a code: a key names itself by its hash', () => {
    const [head, rest] = [key.publicKey.subarray(0, 64), key.publicKey.subarray(64)];
    for (let turn = 0; turn < 1_000; turn += 1) {
      const bytes = concatBytes(mutated(head, random), rest);
      expect(() => sums.encrypt(bytes, Uint32Array.of(1))).toThrow(PeerAiError);
    }
  });
});
