import { createIdentity, type Identity, type PeerId, toHex } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../../test/mutations.ts';

import { limits } from '../../limits.ts';
import { checkRun, decodeRun, encodeRun, type RunSpec } from '../run-spec.ts';
import { privateSpec } from '../testing/private-run.ts';
import { smallRun } from '../testing/spec.ts';
import { sumMethod } from './messages.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const random = seededRandom(22);
const identities = Array.from({ length: 4 }, () => createIdentity(crypto, random.bytes(32)));
/** Of the small open run of the tests, from before there were private ones. */
const openHash = '1ee2161a61e256dfbd507a2af0718bcf9540abf766359d3bfea2b0eb1c75c6bc';

describe('the terms of a private run', () => {
  const members = identities.slice(0, 4).map(({ peer }) => peer);
  const spec = privateSpec(members);
  const terms = { members, elementMax: 4 };

  it('come back as they were, and the bytes of an open run are what they always were', () => {
    expect(decodeRun(crypto, encodeRun(spec))).toEqual(checkRun(crypto, spec));
    expect(toHex(checkRun(crypto, smallRun).hash)).toBe(openHash);
    expect(decodeRun(crypto, encodeRun(smallRun)).private).toBeUndefined();
  });

  it.each<[string, Partial<RunSpec>]>([
    ['a robust rule', { rule: 'trimmed-mean' }],
    ['declared liars', { liars: 1 }],
    ['packed bits', { bits: 4 }],
    ['two members', { private: { ...terms, members: members.slice(2) }, membersMin: 2 }],
    ['a member twice', { private: { ...terms, members: [...members, ...members.slice(3)] } }],
    ['a threshold that two sums could meet', { membersMin: 2 }],
    ['a threshold nobody can meet', { membersMin: 5 }],
    ['no scale', { private: { ...terms, elementMax: 0 } }],
    ['a masked sum that is open', { private: undefined }],
  ])('with %s are refused', (_, change) => {
    expect(() => checkRun(crypto, { ...spec, ...change })).toThrow(code('INVALID_OPTION'));
  });

  it('an open run has no masked sum and no 32 bits', () => {
    expect(() => checkRun(crypto, { ...smallRun, rule: 'masked-sum' })).toThrow(code('INVALID_OPTION'));
    expect(() => checkRun(crypto, { ...smallRun, bits: 32 })).toThrow(code('INVALID_OPTION'));
  });

  it('take as many members and weights as the limits say, and not one more', () => {
    const many = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `peer${index}` as PeerId);
      return { ...spec, membersMin: count, private: { members: names, elementMax: 4 } };
    };
    expect(checkRun(crypto, many(limits.privateMembersMax)).private?.members).toHaveLength(limits.privateMembersMax);
    expect(() => checkRun(crypto, many(limits.privateMembersMax + 1))).toThrow(code('LIMIT_REACHED'));
    expect(checkRun(crypto, { ...spec, size: limits.privateElementsMax }).size).toBe(limits.privateElementsMax);
    expect(() => checkRun(crypto, { ...spec, size: limits.privateElementsMax + 1 })).toThrow(code('LIMIT_REACHED'));
  });
});

describe('what a foreign peer sends in a private run', () => {
  const members = identities.slice(0, 4).map(({ peer }) => peer);
  const parts = members.map((peer) => ({ peer, body: random.bytes(60) }));
  const ask = { run: random.bytes(32), term: 1, base: random.bytes(32), attempt: 1, step: 'shares' as const, parts };

  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['a step', sumMethod.request.encode(ask), (bytes) => sumMethod.request.decode(bytes)],
    ['its answer', sumMethod.response.encode({ is: 'closed', parts }), (bytes) => sumMethod.response.decode(bytes)],
    ['the terms', encodeRun(privateSpec(members)), (bytes) => decodeRun(crypto, bytes)],
  ])('%s: ten thousand mutations are read or refused with a code', (_, valid, decode) => {
    expect(refusedMutations(valid, random, decode)).toBeGreaterThan(100);
  });

  it('has at most as many parts as a private run has members, and the longest answer fits its message', () => {
    const { privateMembersMax: most } = limits;
    const many = (count: number) => ({ is: 'closed' as const, parts: Array.from({ length: count }, () => signedList) });
    const whole = sumMethod.response.encode(many(most));
    expect(sumMethod.response.decode(whole).parts).toHaveLength(most);
    // A frame adds a few bytes of its own.
    expect(whole.length + 64).toBeLessThan(limits.sumBytesMax);
    expect(() => sumMethod.response.decode(sumMethod.response.encode(many(most + 1)))).toThrow(code('INVALID_FORMAT'));
  });
});

/** A signature of a list of as many names as there may be: name, list, key and signature. */
const signedList = (() => {
  const [{ peer }] = identities as [Identity];
  return { peer, body: new Uint8Array(limits.privateMembersMax * (peer.length + 2) + 32 + 2 + 32 + 64 + 16) };
})();
