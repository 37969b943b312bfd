import { createIdentity, type Identity, type PeerId, PeerAiError } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { combine } from 'shamir-secret-sharing';
import { describe, expect, it } from 'vitest';

import { limits } from '../../limits.ts';
import {
  createSumMember,
  fromFixedPoint,
  maskedTotal,
  type SumMember,
  type SumTerms,
  thresholdOf,
  toFixedPoint,
} from './index.ts';
import { decodeUnmasking, encodeUnmasking } from './messages.ts';
import { checkTerms } from './terms.ts';

const random = seededRandom(9);
const identities = Array.from({ length: 20 }, () => createIdentity(crypto, random.bytes(32)));
const size = 12;

interface World {
  readonly terms: SumTerms;
  readonly members: ReadonlyMap<PeerId, SumMember>;
  readonly inputs: ReadonlyMap<PeerId, Uint32Array>;
}

function world(count: number, run = random.bytes(16)): World {
  const who = identities.slice(0, count);
  const terms = { run, members: who.map(({ peer }) => peer), threshold: thresholdOf(count), size };
  return {
    terms,
    members: new Map(who.map((identity) => [identity.peer, member(identity, terms)])),
    inputs: new Map(who.map(({ peer }) => [peer, words()])),
  };
}

function member(identity: Identity, terms: SumTerms): SumMember {
  return createSumMember({ crypto, random, identity }, terms);
}

function words(): Uint32Array {
  const bytes = random.bytes(size * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, size);
}

interface Drops {
  /** How many never say anything, leave after their shares, after their masked input, after confirming. */
  readonly never?: number;
  readonly shared?: number;
  readonly masked?: number;
  readonly confirmed?: number;
}

/** An honest aggregator, with members that drop out between the steps. */
async function collected({ terms, members, inputs }: World, drops: Drops = {}) {
  const leave = (peers: readonly PeerId[], count = 0) => peers.slice(0, peers.length - count);
  const advertised = leave(terms.members, drops.never);
  const keys = advertised.map((peer) => of(members, peer).advertise());
  const boxes = new Map<PeerId, ReadonlyMap<PeerId, Uint8Array>>();
  for (const peer of advertised) boxes.set(peer, await of(members, peer).share(keys));
  const shared = advertised;
  const masking = leave(shared, drops.shared);
  const masked = new Map(
    masking.map((peer) => {
      const sealed = shared.flatMap((from) => (from === peer ? [] : [[from, of(of(boxes, from), peer)] as const]));
      return [peer, of(members, peer).mask(of(inputs, peer), new Map(sealed))] as const;
    }),
  );
  const confirming = leave(masking, drops.masked);
  const confirmations = confirming.map((peer) => of(members, peer).confirm(masking));
  const staying = leave(confirming, drops.confirmed);
  const unmaskings = new Map(staying.map((peer) => [peer, of(members, peer).unmask(confirmations)]));
  return { keys, shared, masked, unmaskings, confirmations };
}

function sum(inputs: ReadonlyMap<PeerId, Uint32Array>, peers: Iterable<PeerId>): Uint32Array {
  const total = new Uint32Array(size);
  for (const peer of peers)
    for (const [index, word] of of(inputs, peer).entries()) total[index] = (total[index] ?? 0) + word;
  return total;
}

function nth<T>(items: readonly T[], index: number): T {
  const found = items[index];
  if (found === undefined) throw new Error(`no item ${index}`);
  return found;
}

function of<T>(entries: ReadonlyMap<PeerId, T>, peer: PeerId): T {
  const found = entries.get(peer);
  if (found === undefined) throw new Error(`nothing of ${peer}`);
  return found;
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a masked sum', () => {
  it.each<Drops>([
    {},
    { never: 6 },
    { shared: 6 },
    { masked: 6 },
    { confirmed: 6 },
    { never: 1, shared: 2, masked: 2, confirmed: 1 },
  ])('of twenty is exactly the sum of those whose input came, with these gone: %o', async (drops) => {
    const here = world(20);
    const parts = await collected(here, drops);
    expect(await maskedTotal(crypto, here.terms, parts)).toEqual(sum(here.inputs, parts.masked.keys()));
    expect(parts.masked.size).toBe(20 - (drops.never ?? 0) - (drops.shared ?? 0));
  });

  it.each<Drops>([{ never: 7 }, { shared: 7 }, { masked: 7 }])('with more gone there is none: %o', async (drops) => {
    await expect(collected(world(20), drops)).rejects.toThrow(code('TOO_FEW_UPDATES'));
  });

  it('with fewer unmaskings than the threshold there is none', async () => {
    const here = world(20);
    const parts = await collected(here, { confirmed: 7 });
    await expect(maskedTotal(crypto, here.terms, parts)).rejects.toThrow(code('TOO_FEW_UPDATES'));
  });

  it('a masked input shows nothing of the input: the same one twice has no word in common', async () => {
    const [one, two] = [world(3), world(3)];
    const [a, b] = [await collected(one), await collected({ ...two, inputs: one.inputs })];
    const peer = nth(one.terms.members, 0);
    const pairs = Array.from(of(a.masked, peer), (word, index) => [word, of(b.masked, peer)[index]]);
    expect(pairs.filter(([x, y]) => x === y)).toEqual([]);
    expect(of(a.masked, peer)).not.toEqual(of(one.inputs, peer));
  });

  it('a member has no secret left once its input is masked', async () => {
    const here = world(3);
    const drawn: Uint8Array[] = [];
    const watched = {
      bytes(count: number) {
        const bytes = random.bytes(count);
        drawn.push(bytes);
        return bytes;
      },
    };
    const self = nth(identities, 0);
    const members = new Map(here.members).set(
      self.peer,
      createSumMember({ crypto, random: watched, identity: self }, here.terms),
    );
    await collected({ ...here, members });
    expect(drawn).toHaveLength(3);
    expect(drawn.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  it('one share less than the threshold gives no secret back', async () => {
    const here = world(4);
    const parts = await collected(here);
    const peer = nth(here.terms.members, 0);
    const checked = checkTerms(crypto, here.terms);
    const shares = Array.from(parts.unmaskings.values(), (bytes) => of(decodeUnmasking(checked, bytes).seeds, peer));
    const secrets = await Promise.all([
      combine(shares.slice(0, 3)),
      combine(shares.slice(1, 4)),
      combine(shares.slice(0, 2)),
    ]);
    expect(secrets[0]).toEqual(secrets[1]);
    expect(secrets[2]).not.toEqual(secrets[0]);
  });
});

describe('an aggregator that lies', () => {
  it('gets no second list signed, so never both shares of one member', async () => {
    const here = world(4);
    const parts = await collected(here, { confirmed: 4 });
    const one = of(here.members, nth(here.terms.members, 0));
    expect(() => one.confirm(here.terms.members.slice(0, 3))).toThrow(code('REFUSED'));
    for (const bytes of [one.unmask(parts.confirmations), one.unmask(parts.confirmations)]) {
      const { seeds, keys } = decodeUnmasking(checkTerms(crypto, here.terms), bytes);
      expect([seeds.size, keys.size]).toEqual([4, 0]);
    }
  });

  it('who told others another list is found out before anything is unmasked', async () => {
    const here = world(4);
    const keys = here.terms.members.map((peer) => of(here.members, peer).advertise());
    const boxes = new Map<PeerId, ReadonlyMap<PeerId, Uint8Array>>();
    for (const peer of here.terms.members) boxes.set(peer, await of(here.members, peer).share(keys));
    for (const peer of here.terms.members) {
      const sealed = here.terms.members.flatMap((from) =>
        from === peer ? [] : [[from, of(of(boxes, from), peer)] as const],
      );
      of(here.members, peer).mask(of(here.inputs, peer), new Map(sealed));
    }
    const [a, b, c, d] = here.terms.members as [PeerId, PeerId, PeerId, PeerId];
    const signed = [of(here.members, a).confirm([a, b, c]), of(here.members, b).confirm([a, b, c])];
    const other = of(here.members, d).confirm([b, c, d]);
    expect(() => of(here.members, a).unmask([...signed, other])).toThrow(code('REFUSED'));
    expect(() => of(here.members, a).unmask(signed)).toThrow(code('TOO_FEW_UPDATES'));
    expect(() => of(here.members, a).unmask([...signed, ...signed])).toThrow(code('TOO_FEW_UPDATES'));
  });

  it('cannot put its own keys under a member’s name, bring a stranger, repeat one, or use keys of another sum', async () => {
    const [here, elsewhere] = [world(4), world(4)];
    const keys = here.terms.members.map((peer) => of(here.members, peer).advertise());
    const one = of(here.members, nth(here.terms.members, 0));
    const stranger = nth(identities, 10);
    const wide = { ...here.terms, threshold: 4, members: [...here.terms.members, stranger.peer] };
    await expect(one.share([...keys.slice(0, 3), member(stranger, wide).advertise()])).rejects.toThrow(code('REFUSED'));
    const old = of(elsewhere.members, nth(here.terms.members, 3)).advertise();
    await expect(one.share([...keys.slice(0, 3), old])).rejects.toThrow(code('REFUSED'));
    await expect(one.share([...keys, nth(keys, 1)])).rejects.toThrow(code('REFUSED'));
    const forged = nth(keys, 1).map((byte, index) => (index === 40 ? byte ^ 1 : byte));
    await expect(one.share([nth(keys, 0), forged, ...keys.slice(2)])).rejects.toThrow(
      expect.objectContaining({ name: 'PeerAiError' }),
    );
    await expect(one.share(keys.slice(1))).rejects.toThrow(code('REFUSED'));
    expect(await one.share(keys)).toHaveProperty('size', 3);
    await expect(one.share(keys)).rejects.toThrow(code('REFUSED'));
  });

  it('cannot read or swap the shares it passes on', async () => {
    const here = world(3);
    const [a, b, c] = here.terms.members as [PeerId, PeerId, PeerId];
    const keys = here.terms.members.map((peer) => of(here.members, peer).advertise());
    const [fromA, fromB] = [await of(here.members, a).share(keys), await of(here.members, b).share(keys)];
    await of(here.members, c).share(keys);
    const swapped = new Map([
      [a, of(fromB, c)],
      [b, of(fromA, c)],
    ]);
    expect(() => of(here.members, c).mask(words(), swapped)).toThrow(code('DECRYPTION_FAILED'));
    // What a member sealed itself does not open as the other's answer: each way has a key of its own.
    const echoed = new Map([
      [b, of(fromA, b)],
      [c, of(fromA, c)],
    ]);
    expect(() => of(here.members, a).mask(words(), echoed)).toThrow(code('DECRYPTION_FAILED'));
  });
});

describe('a member that lies', () => {
  it('with one wrong share does no harm where more than the threshold stay', async () => {
    const here = world(5);
    const parts = await collected(here);
    const checked = checkTerms(crypto, here.terms);
    const [liar] = [...parts.unmaskings.keys()] as [PeerId];
    const bytes = of(parts.unmaskings, liar);
    const broken = bytes.slice();
    const { seeds } = decodeUnmasking(checked, bytes);
    const first = seeds.values().next().value as Uint8Array;
    const place = bytes.findIndex((_, index) => first.every((byte, offset) => bytes[index + offset] === byte));
    broken[place] = (broken[place] ?? 0) ^ 1;
    const wrong = { ...parts, unmaskings: new Map(parts.unmaskings).set(liar, broken) };
    expect(await maskedTotal(crypto, here.terms, wrong)).toEqual(sum(here.inputs, parts.masked.keys()));
    const bare = { ...wrong, unmaskings: new Map([...wrong.unmaskings].slice(0, here.terms.threshold)) };
    await expect(maskedTotal(crypto, here.terms, bare)).rejects.toThrow(code('SHARES_WRONG'));
  });

  it('who gives out both shares of one member is not heard', () => {
    const here = world(3);
    const peer = nth(here.terms.members, 0);
    const both = encodeUnmasking({
      seeds: new Map([[peer, new Uint8Array(33)]]),
      keys: new Map([[peer, new Uint8Array(33)]]),
    });
    expect(() => decodeUnmasking(checkTerms(crypto, here.terms), both)).toThrow(code('REFUSED'));
  });

  it('gives with ten thousand mutated unmaskings a sum that is right, or an error with a code', async () => {
    const here = world(3);
    const parts = await collected(here);
    const checked = checkTerms(crypto, here.terms);
    const [[, valid]] = [...parts.unmaskings] as [[PeerId, Uint8Array]];
    let refused = 0;
    for (let round = 0; round < 10_000; round += 1)
      try {
        decodeUnmasking(checked, mutated(valid, random));
      } catch (error) {
        expect(error).toBeInstanceOf(PeerAiError);
        refused += 1;
      }
    expect(refused).toBeGreaterThan(1_000);
  });
});

describe('the terms of a masked sum', () => {
  const [a, b, c] = identities.map(({ peer }) => peer) as [PeerId, PeerId, PeerId];
  const terms: SumTerms = { run: random.bytes(16), members: [a, b, c], threshold: 3, size };

  it.each<[string, Partial<SumTerms>]>([
    ['two members', { members: [a, b], threshold: 2 }],
    ['a member twice', { members: [a, b, c, c] }],
    ['a threshold that two lists could meet', { threshold: 2 }],
    ['a threshold nobody can meet', { threshold: 4 }],
    ['a name that could come again', { run: random.bytes(15) }],
  ])('%s are refused', (_, change) => {
    expect(() => checkTerms(crypto, { ...terms, ...change })).toThrow(code('INVALID_OPTION'));
  });

  it('the limit of members is taken, one more is not', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `peer${index}` as PeerId);
    const { maskedMembersMax: limit } = limits;
    const of = (count: number) => checkTerms(crypto, { ...terms, members: many(count), threshold: count });
    expect(of(limit).members).toHaveLength(limit);
    expect(() => of(limit + 1)).toThrow(code('LIMIT_REACHED'));
  });

  it('a peer that is no member makes no member', () => {
    expect(() => member(nth(identities, 5), terms)).toThrow(code('REFUSED'));
  });
});

describe('a common fixed-point scale', () => {
  it('the mean of many comes back within a step, and what is too large is cut', () => {
    const scale = { elementMax: 0.5, members: 20 };
    const own = Array.from({ length: 20 }, (_, index) => Float32Array.of(index / 40 - 0.25, -0.4, 9));
    const total = new Uint32Array(3);
    for (const values of own)
      for (const [index, word] of toFixedPoint(values, scale).entries()) total[index] = (total[index] ?? 0) + word;
    const mean = fromFixedPoint(total, scale, 20);
    expect(mean[0]).toBeCloseTo(own.reduce((all, values) => all + (values[0] ?? 0), 0) / 20, 6);
    expect(mean[1]).toBeCloseTo(-0.4, 6);
    expect(mean[2]).toBeCloseTo(0.5, 6);
  });

  it('what all members add up to at most still fits, on both sides of zero', () => {
    const scale = { elementMax: 1, members: 255 };
    for (const value of [1, -1]) {
      const total = new Uint32Array(1);
      for (let one = 0; one < 255; one += 1)
        total[0] = (total[0] ?? 0) + (toFixedPoint(Float32Array.of(value), scale)[0] ?? 0);
      expect(fromFixedPoint(total, scale, 255)[0]).toBeCloseTo(value, 6);
    }
  });

  it('refuses what is not finite', () => {
    expect(() => toFixedPoint(Float32Array.of(Number.NaN), { elementMax: 1, members: 3 })).toThrow(code('NOT_FINITE'));
  });
});
