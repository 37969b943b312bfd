import { PeerAiError, type PeerId } from '@peerai/core-protocol';
import { mutated } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { ceremony, keysOf, of, peersOf, random, sharesFor } from '../../test/group.ts';
import { crypto, flipped } from '../../test/world.ts';
import { limits } from '../limits.ts';
import { createKeyCeremony, decodeGroupKey, encodeGroupKey } from './index.ts';

const members = peersOf(4);
const [a, b, c] = members as [PeerId, PeerId, PeerId, PeerId];
const code = (expected: string, ...peers: readonly PeerId[]) =>
  expect.objectContaining(peers.length === 0 ? { code: expected } : { code: expected, details: { peers } });
const [key] = keysOf(members, 3).values();
if (key === undefined) throw new Error('no key');

describe('a key that a group makes without a dealer', () => {
  it('has one public key, another share for each member, and comes back from its bytes', () => {
    const keys = [...keysOf(members, 3).values()];
    expect(new Set(keys.map(({ group }) => group)).size).toBe(1);
    expect(new Set(keys.map(({ share }) => share.join())).size).toBe(4);
    for (const one of keys) expect(decodeGroupKey(encodeGroupKey(one))).toEqual(one);
    expect(members).not.toContain(keys[0]?.group);
  });

  it('is not made when a member announces what it does not know, or for other terms, and the member is named', () => {
    const { all, announced } = ceremony(members, 3);
    const other = ceremony(members, 3).announced;
    const last = of(announced, b).length - 1;
    const forged = new Map(announced).set(b, flipped(of(announced, b), last - 5)).set(c, of(announced, c));
    expect(() => of(all, a).share(forged)).toThrow(code('SIGNER_WRONG', b));
    expect(() => of(all, a).share(new Map(announced).set(b, of(announced, c)))).toThrow(code('SIGNER_WRONG', b));
    expect(() => of(all, a).share(new Map(announced).set(c, of(other, c)))).toThrow(code('SIGNER_WRONG', c));
    expect(() => of(all, a).share(new Map([...announced].slice(0, 2)))).toThrow(code('SIGNER_WRONG', c));
    expect(of(all, a).share(announced).size).toBe(3);
    expect(() => of(all, a).share(announced)).toThrow(code('REFUSED'));
  });

  it('is not made from a wrong share, nor when one member was told other announcements, and the member is named', () => {
    const { all, announced } = ceremony(members, 3);
    const made = new Map([...all].map(([peer, one]) => [peer, one.share(announced)]));
    const shares = sharesFor(made, a);
    const wrong = new Map(shares).set(c, flipped(of(shares, c), of(shares, c).length - 9));
    expect(() => of(all, a).finish(wrong)).toThrow(code('SIGNER_WRONG', c));
    expect(() => of(all, a).finish(new Map([...shares].slice(1)))).toThrow(code('SIGNER_WRONG', b));

    const second = ceremony(members, 3);
    const before = createKeyCeremony(
      { crypto, random, self: c },
      { members, threshold: 3, ceremony: random.bytes(16) },
    );
    expect(() => before.finish(new Map())).toThrow(code('REFUSED'));
    const told = new Map([...second.all].map(([peer, one]) => [peer, one.share(second.announced)]));
    const transcript = of(sharesFor(told, a), b);
    expect(() => of(second.all, a).finish(new Map(sharesFor(told, a)).set(b, flipped(transcript, 5)))).toThrow(
      code('REFUSED', b),
    );
  });

  it('has as many members as the limit allows and not one more, and a threshold from two to all', () => {
    const many = peersOf(limits.groupMembersMax + 1);
    const begin = (all: readonly PeerId[], threshold: number, self = all[0]) =>
      createKeyCeremony({ crypto, random, self: self ?? a }, { members: all, threshold, ceremony: random.bytes(16) });
    expect(begin(many.slice(1), 2).announce().length).toBeLessThan(limits.groupMessageBytesMax);
    expect(() => begin(many, 2)).toThrow(code('LIMIT_REACHED'));
    expect(begin(members, 2).announce().length).toBeLessThan(begin(members, 4).announce().length);
    for (const threshold of [1, 5, 2.5]) expect(() => begin(members, threshold)).toThrow(code('INVALID_FORMAT'));
    expect(() => begin([a, a, b], 2)).toThrow(code('INVALID_FORMAT'));
    expect(() => begin(members, 2, peersOf(1)[0])).toThrow(code('INVALID_FORMAT'));
    const short = { members, threshold: 2, ceremony: random.bytes(15) };
    expect(() => createKeyCeremony({ crypto, random, self: a }, short)).toThrow(code('INVALID_FORMAT'));
  });
});

describe('the bytes of a group’s key', () => {
  it('whose parts do not belong together are refused', () => {
    const other = keysOf(members, 3).values().next().value ?? key;
    for (const change of [
      { share: other.share },
      { commitments: other.commitments },
      { commitments: key.commitments.slice(1) },
      { verifyingShares: key.verifyingShares.toReversed() },
      { verifyingShares: key.verifyingShares.slice(1) },
      { threshold: 2 },
      { self: peersOf(1)[0] ?? a },
    ])
      expect(() => decodeGroupKey(encodeGroupKey({ ...key, ...change }))).toThrow(code('INVALID_FORMAT'));
  });

  it('are taken up to the limit, and one byte more is not read', () => {
    const padded = (length: number) => {
      const bytes = encodeGroupKey(key);
      const rest = length - bytes.length - 4;
      // An unknown field (15, bytes): skipped by every reader.
      return Uint8Array.from([
        ...bytes,
        0x7a,
        (rest & 127) | 128,
        ((rest >> 7) & 127) | 128,
        rest >> 14,
        ...new Uint8Array(rest),
      ]);
    };
    const { groupMessageBytesMax: limit } = limits;
    expect(padded(limit)).toHaveLength(limit);
    expect(decodeGroupKey(padded(limit)).group).toBe(key.group);
    expect(() => decodeGroupKey(padded(limit + 1))).toThrow(code('LIMIT_EXCEEDED'));
    for (let turn = 0; turn < 200; turn += 1)
      try {
        decodeGroupKey(mutated(encodeGroupKey(key), random));
      } catch (error) {
        expect(error).toBeInstanceOf(PeerAiError);
      }
  });
});
