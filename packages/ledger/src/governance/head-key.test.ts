import { compareUtf8, type PeerAiError, type PeerId, publicKeyFromPeerId } from '@peerai/core-protocol';
import { readMutated, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, test } from 'vitest';
import { someone, testChain } from '../../test/governance.ts';
import { crypto } from '../../test/world.ts';
import { decodeStatement, encodeStatement } from './entry.ts';
import { governanceLimits as limits } from './limits.ts';

const peers = Array.from({ length: 4 }, () => someone().peer).toSorted(compareUtf8);
const at = (index: number): PeerId => peers[index] as PeerId;
const [key, other] = [someone().peer, someone().peer];

function begun(members: readonly PeerId[] = peers) {
  const chain = testChain({ crypto, ballots: { verify: async () => false } }, members);
  const word = (by: PeerId, attempt: number, made: PeerId | undefined, blamed: readonly PeerId[] = [], epoch = 0) =>
    chain.say(
      by,
      {
        type: 'head-key',
        word: { epoch, attempt, key: made === undefined ? undefined : publicKeyFromPeerId(made), blamed },
      },
      1_000,
    );
  return { chain, word, keys: () => chain.state().headKeys };
}

describe('the key that signs heads', () => {
  test('holds once as many members as decide a block say that they have a share of it, and no later word takes it back', async () => {
    const { word, keys } = begun();
    expect(await word(at(0), 0, key)).toBeUndefined();
    expect(await word(at(0), 0, key)).toBe('VOTED');
    expect(await word(at(1), 0, other)).toBeUndefined();
    expect(await word(at(2), 0, key)).toBeUndefined();
    expect(keys().key).toBeUndefined();
    expect(await word(someone().peer, 0, key)).toBe('NOT_MEMBER');
    expect(await word(at(3), 0, key)).toBeUndefined();
    expect(keys().key).toEqual({ epoch: 0, attempt: 0, key, threshold: 3, members: 4, height: 6 });
    expect(await word(at(1), 0, undefined, [at(0)])).toBe('NO_EFFECT');
    expect(keys().key?.key).toBe(key);
  });

  test('is another attempt’s when one says that this one failed, whom it names is kept, and words of before count no more', async () => {
    const { word, keys } = begun();
    await word(at(0), 0, key);
    await word(at(2), 0, key);
    expect(await word(at(1), 0, undefined, [at(3)])).toBeUndefined();
    expect(await word(at(3), 0, key)).toBe('TOO_LATE');
    expect(await word(at(3), 1, key, [], 1)).toBe('TOO_LATE');
    expect(keys()).toMatchObject({ attempt: 1, key: undefined, failed: [{ attempt: 0, by: at(1), blamed: [at(3)] }] });
    for (const peer of peers.slice(0, 3)) await word(peer, 1, other);
    expect(keys().key).toMatchObject({ attempt: 1, key: other });
  });

  test('has as many attempts as the limit allows, and not one more', async () => {
    const { word, keys } = begun();
    for (let attempt = 0; attempt < limits.headKeyAttemptsMax - 1; attempt += 1)
      expect(await word(at(0), attempt, undefined)).toBeUndefined();
    expect(await word(at(0), limits.headKeyAttemptsMax - 1, undefined)).toBe('LIMIT_REACHED');
    expect(keys().attempt).toBe(limits.headKeyAttemptsMax - 1);
    for (const peer of peers.slice(0, 3)) await word(peer, limits.headKeyAttemptsMax - 1, key);
    expect(keys().key?.key).toBe(key);
  });

  test('is of its epoch alone: with other members there is none, and the last ones are remembered up to the limit', async () => {
    const { chain, word, keys } = begun([at(0)]);
    for (let epoch = 0; epoch <= limits.headKeysKept; epoch += 1) {
      const made = someone().peer;
      expect(await word(at(0), 0, made, [], epoch)).toBeUndefined();
      expect(keys().key?.key).toBe(made);
      await chain.begin(at(0));
      expect(keys()).toMatchObject({ attempt: 0, key: undefined, failed: [] });
      expect(keys().former.at(-1)?.key).toBe(made);
    }
    expect(keys().former).toHaveLength(limits.headKeysKept);
    expect(keys().former[0]?.epoch).toBe(1);
  });
});

test('a word about a key is read as it was written, or refused with a code: no blame beside a key, and no other length', () => {
  const said = (more: object) => ({
    timeMs: 7,
    said: {
      type: 'head-key' as const,
      word: { epoch: 3, attempt: 2, key: undefined, blamed: [at(0), at(1)], ...more },
    },
  });
  const one = said({});
  expect(decodeStatement(encodeStatement(one).body)).toEqual(one);
  const wrong = expect.objectContaining({ code: 'INVALID_FORMAT' }) as PeerAiError;
  expect(() => decodeStatement(encodeStatement(said({ key: publicKeyFromPeerId(key) })).body)).toThrow(wrong);
  expect(() => decodeStatement(encodeStatement(said({ key: new Uint8Array(31), blamed: [] })).body)).toThrow(wrong);
  const random = seededRandom(5);
  const { body } = encodeStatement(one);
  expect(readMutated(body, decodeStatement, { random }).refused).toBeGreaterThan(5_000);
});
