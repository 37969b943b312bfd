import { createIdentity, nobleCrypto, sealSigned, toHex, utf8, wire } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';
import { refusedMutations } from '../../test/mutations.ts';

import { type CapsuleBody, packData, readBody, unpackData, writeBody } from './capsule-wire.ts';
import { capsuleText } from './draft.ts';
import { openForget, signForget } from './forget.ts';
import { memoryLimits as limits } from './limits.ts';
import { bytesFor, openCapsule, signCapsule } from './signed-capsule.ts';
import { bodyOf, signedBy } from './testing/fixtures.ts';

const identity = createIdentity(crypto, seededRandom(5).bytes(32));
const code = (expected: string) => expect.objectContaining({ code: expected });
const sign = (parts: Partial<CapsuleBody>) => signCapsule(crypto, identity, bodyOf(parts));
const id = (fill: number) => toHex(new Uint8Array(32).fill(fill));

describe('A capsule', () => {
  it('comes back as it was signed, with the same id wherever it is opened', () => {
    const opened = sign({});
    const capsule = openCapsule(nobleCrypto, bytesFor('anyone', opened));
    expect(capsule).toMatchObject({ id: opened.facts.id, author: identity.peer, level: 'public', tags: ['garden'] });
    expect(capsuleText(capsule)).toBe('tomatoes like sun');
    expect(capsule.vector).toEqual(bodyOf().vector);
    expect(capsule.id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has another id with another body, and with another author', () => {
    const other = createIdentity(crypto, seededRandom(6).bytes(32));
    const ids = [sign({}), sign({ summary: 'x' }), signCapsule(crypto, other, bodyOf())].map(({ facts }) => facts.id);
    expect(new Set(ids).size).toBe(3);
  });

  it('carries its data really compressed, and what does not get shorter as it is', () => {
    const text = utf8('many words of one kind '.repeat(500));
    const packed = packData(text);
    expect(packed.bytes.length).toBeLessThan(text.length / 20);
    expect(unpackData(packed)).toEqual(text);
    const noise = seededRandom(1).bytes(5_000);
    expect(packData(noise)).toEqual({ bytes: noise, deflatedFrom: undefined });
  });

  it('does not inflate a bomb: data that is more, or less, than it says is refused', () => {
    const { bytes } = packData(new Uint8Array(limits.capsuleDataBytesMax));
    for (const deflatedFrom of [bytes.length + 1, limits.capsuleDataBytesMax - 1])
      expect(() => openCapsule(crypto, signedBy(identity, { packed: { bytes, deflatedFrom } }))).toThrow(
        code('INVALID_FORMAT'),
      );
    expect(() => unpackData({ bytes, deflatedFrom: limits.capsuleDataBytesMax + 1 })).toThrow(code('LIMIT_EXCEEDED'));
  });

  it.each<[string, (count: number) => Partial<CapsuleBody>, number]>([
    ['summary bytes', (count) => ({ summary: 'x'.repeat(count) }), limits.capsuleSummaryBytesMax],
    ['data bytes', (count) => ({ packed: packData(seededRandom(1).bytes(count)) }), limits.capsuleDataBytesMax],
    ['tags', (count) => ({ tags: Array.from({ length: count }, (_, n) => `t${n + 10}`) }), limits.capsuleTagsMax],
    ['tag bytes', (count) => ({ tags: ['x'.repeat(count)] }), limits.capsuleTagBytesMax],
    ['media type bytes', (count) => ({ mediaType: 'x'.repeat(count) }), limits.mediaTypeBytesMax],
    ['embedder name bytes', (count) => ({ embedder: 'x'.repeat(count) }), limits.embedderNameBytesMax],
    ['dimensions', (count) => ({ vector: new Float32Array(count) }), limits.embeddingDimensionsMax],
    [
      'relations',
      (count) => ({ relations: Array.from({ length: count }, (_, n) => ({ kind: 'related', capsule: id(n) })) }),
      limits.capsuleRelationsMax,
    ],
  ])('may have its most %s and not one more', (_, parts, max) => {
    expect(() => openCapsule(crypto, bytesFor('anyone', sign(parts(max))))).not.toThrow();
    expect(() => sign(parts(max + 1))).toThrow(code('LIMIT_EXCEEDED'));
  });

  it('is refused when it is larger than any may be, before anything else is looked at', () => {
    expect(() => openCapsule(crypto, new Uint8Array(limits.capsuleBytesMax))).toThrow(code('INVALID_FORMAT'));
    expect(() => openCapsule(crypto, new Uint8Array(limits.capsuleBytesMax + 1))).toThrow(code('LIMIT_EXCEEDED'));
    const large = sign({
      summary: 'x'.repeat(limits.capsuleSummaryBytesMax),
      packed: packData(seededRandom(1).bytes(limits.capsuleDataBytesMax)),
      vector: new Float32Array(limits.embeddingDimensionsMax),
      tags: Array.from({ length: limits.capsuleTagsMax }, (_, n) => `${n + 10}`.repeat(limits.capsuleTagBytesMax / 2)),
      relations: Array.from({ length: limits.capsuleRelationsMax }, (_, n) => ({ kind: 'related', capsule: id(n) })),
    });
    expect(bytesFor('anyone', large).length).toBeLessThanOrEqual(limits.capsuleBytesMax);
  });

  it.each<[string, Partial<CapsuleBody>]>([
    ['an empty tag', { tags: [''] }],
    ['tags out of order', { tags: ['b', 'a'] }],
    ['a tag twice', { tags: ['a', 'a'] }],
    ['a relation twice', { relations: [1, 1].map((n) => ({ kind: 'related', capsule: id(n) })) }],
    ['a relation to what is no id', { relations: [{ kind: 'related', capsule: 'abcd' }] }],
    ['a vector of another length', { vector: Float32Array.of(1, 1) }],
    ['a vector that is not finite', { vector: Float32Array.of(NaN, 1) }],
    ['no vector', { vector: new Float32Array() }],
    ['no embedder', { embedder: '' }],
    ['no media type', { mediaType: '' }],
    ['novelty above 1', { novelty: 1.01 }],
    ['importance that is no number', { importance: NaN }],
    ['packing that makes longer', { packed: { bytes: new Uint8Array(10), deflatedFrom: 10 } }],
  ])('with %s is neither signed nor read', (_, parts) => {
    expect(() => sign(parts)).toThrow(code('INVALID_FORMAT'));
  });

  it('has one form: a field more, another order or something beside the signature is refused', () => {
    const body = writeBody(bodyOf());
    const extra = wire.message({ extra: wire.uint32(15) }).encode({ extra: 1 });
    const seal = (bytes: Uint8Array) => sealSigned(identity, 'peerai/capsule/1', bytes);
    expect(() => openCapsule(crypto, seal(body))).not.toThrow();
    expect(() => openCapsule(crypto, seal(Uint8Array.from([...body, ...extra])))).toThrow(code('INVALID_FORMAT'));
    expect(() => openCapsule(crypto, Uint8Array.from([...extra, ...seal(body)]))).toThrow(code('INVALID_FORMAT'));
  });

  it('of another version, of another kind of signed thing, or with another signature is refused', () => {
    const form = wire.message({ version: wire.uint32(1) });
    const body = writeBody(bodyOf());
    const later = Uint8Array.from([...form.encode({ version: 2 }), ...body.subarray(2)]);
    expect(() => openCapsule(crypto, sealSigned(identity, 'peerai/capsule/1', later))).toThrow(code('INVALID_VERSION'));
    expect(() => openCapsule(crypto, sealSigned(identity, 'peerai/record/1', body))).toThrow(code('INVALID_SIGNATURE'));
    const signed = signedBy(identity);
    signed[signed.length - 1] = (signed.at(-1) ?? 0) ^ 1;
    expect(() => openCapsule(crypto, signed)).toThrow(code('INVALID_SIGNATURE'));
  });
});

describe('Who may have it', () => {
  it.each([
    ['personal', 'anyone', 'CAPSULE_PERSONAL'],
    ['personal', 'paired', 'CAPSULE_PERSONAL'],
    ['personal', 'self', 'CAPSULE_PERSONAL'],
    ['personal', 'own', undefined],
    ['behavioral', 'anyone', 'CAPSULE_NOT_SHARED'],
    ['behavioral', 'paired', undefined],
    ['public', 'anyone', undefined],
    ['public', 'paired', undefined],
  ] as const)('a %s capsule for %s: %s', (level, audience, refusal) => {
    const hand = () => bytesFor(audience, sign({ level }));
    if (refusal === undefined) expect(openCapsule(crypto, hand()).level).toBe(level);
    else expect(hand).toThrow(code(refusal));
  });
});

describe('Ten thousand mutated inputs', () => {
  const packed = packData(utf8('many words of one kind '.repeat(100)));
  const small = { packed, vector: Float32Array.of(0.6, 0.8) };
  it.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['a signed capsule', signedBy(identity, small), (bytes) => openCapsule(crypto, bytes)],
    ['a body, as its author signs it', writeBody(bodyOf(small)), (bytes) => unpackData(readBody(bytes).packed)],
    ['a request to forget', signForget(identity, id(1), 1), (bytes) => openForget(crypto, bytes)],
  ])('%s: read, or refused with a code', (_, valid, decode) => {
    const random = seededRandom(9);
    expect(refusedMutations(valid, random, decode)).toBeGreaterThan(1_000);
  });
});
