import { compareUtf8, equalBytes, fromHex, PeerAiError, toHex, utf8, wire } from '@peerai/core-protocol';
import { compress, decompress } from '@peerai/core-protocol/pcp';

import { type PrivacyLevel, privacyLevels, type Relation, relationKinds } from './capsule.ts';
import { type EmbedderKind, embedderKinds } from './embedder.ts';
import { memoryLimits as limits } from './limits.ts';
import { floatsOf, isUnit, bytesOfFloats } from './vectors.ts';

/** What an author signs. Data is still packed: most readers never look at it. */
export interface CapsuleBody {
  readonly createdMs: number;
  readonly level: PrivacyLevel;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly mediaType: string;
  readonly packed: PackedData;
  readonly embedder: string;
  readonly embedderKind: EmbedderKind;
  readonly vector: Float32Array;
  readonly novelty: number;
  readonly importance: number;
  readonly relations: readonly Relation[];
}
/** As they travel; `deflatedFrom` is the length before RFC 1951, absent when nothing was gained. */
export interface PackedData {
  readonly bytes: Uint8Array;
  readonly deflatedFrom: number | undefined;
}

const embeddingForm = wire.message({
  embedder: wire.string(1),
  kind: wire.oneOf(2, embedderKinds),
  vector: wire.bytes(3),
});
const relationForm = wire.message({ kind: wire.oneOf(1, relationKinds), capsule: wire.bytes(2) });
const bodyForm = wire.message({
  version: wire.uint32(1),
  createdMs: wire.uint53(2),
  level: wire.oneOf(3, privacyLevels),
  tags: wire.repeated(wire.string(4), limits.capsuleTagsMax),
  summary: wire.string(5),
  mediaType: wire.string(6),
  data: wire.bytes(7),
  deflatedFrom: wire.optional(wire.uint32(8)),
  embedding: wire.nested(9, embeddingForm),
  novelty: wire.double(10),
  importance: wire.double(11),
  relations: wire.repeated(wire.nested(12, relationForm), limits.capsuleRelationsMax),
});

/** The body's one form. Throws as `readBody` does: what nobody would take is not written. */
export function writeBody(body: CapsuleBody): Uint8Array {
  checkBody(body);
  return encode(body);
}

/** A body that is in bounds. Throws INVALID_FORMAT, INVALID_VERSION, LIMIT_EXCEEDED. */
export function readBody(bytes: Uint8Array): CapsuleBody {
  const raw = bodyForm.decode(bytes);
  if (raw.version !== 1)
    throw new PeerAiError('INVALID_VERSION', `capsule version ${raw.version}; this program reads 1`);
  const { data, deflatedFrom, embedding, relations, version: _, ...rest } = raw;
  const body: CapsuleBody = {
    ...rest,
    packed: { bytes: data, deflatedFrom },
    embedder: embedding.embedder,
    embedderKind: embedding.kind,
    vector: floatsOf(embedding.vector),
    relations: relations.map(({ kind, capsule }) => ({ kind, capsule: toHex(capsule) })),
  };
  checkBody(body);
  return body;
}

/** That these very bytes come out of the body again, so that one capsule has one id. Throws INVALID_FORMAT. */
export function checkOneForm(body: CapsuleBody, bytes: Uint8Array): void {
  if (!equalBytes(encode(body), bytes)) throw invalid('a capsule that is not in its one form');
}

/** Packed when that is shorter. Throws LIMIT_EXCEEDED. */
export function packData(data: Uint8Array): PackedData {
  atMost('data bytes', data.length, limits.capsuleDataBytesMax);
  const deflated = compress(data);
  return deflated === undefined
    ? { bytes: data, deflatedFrom: undefined }
    : { bytes: deflated, deflatedFrom: data.length };
}

/** The data again; never inflates beyond what was announced. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
export function unpackData({ bytes, deflatedFrom }: PackedData): Uint8Array {
  return deflatedFrom === undefined ? bytes : decompress(bytes, deflatedFrom, limits.capsuleDataBytesMax);
}

export const dataBytes = ({ bytes, deflatedFrom }: PackedData): number => deflatedFrom ?? bytes.length;

function encode({ packed, embedder, embedderKind, vector, relations, ...rest }: CapsuleBody): Uint8Array {
  return bodyForm.encode({
    ...rest,
    version: 1,
    data: packed.bytes,
    deflatedFrom: packed.deflatedFrom,
    embedding: { embedder, kind: embedderKind, vector: bytesOfFloats(vector) },
    relations: relations.map(({ kind, capsule }) => ({ kind, capsule: fromHex(capsule) })),
  });
}

function checkBody(body: CapsuleBody): void {
  atMost('summary bytes', utf8(body.summary).length, limits.capsuleSummaryBytesMax);
  atMost('media type bytes', utf8(body.mediaType).length, limits.mediaTypeBytesMax);
  atMost('embedder name bytes', utf8(body.embedder).length, limits.embedderNameBytesMax);
  atMost('dimensions', body.vector.length, limits.embeddingDimensionsMax);
  atMost('data bytes', dataBytes(body.packed), limits.capsuleDataBytesMax);
  atMost('tags', body.tags.length, limits.capsuleTagsMax);
  atMost('relations', body.relations.length, limits.capsuleRelationsMax);
  for (const tag of body.tags) atMost('tag bytes', utf8(tag).length, limits.capsuleTagBytesMax);
  if (body.tags.includes('') || !isAscending(body.tags)) throw invalid('tags are not empty, in order, and each once');
  const relations = body.relations.map(({ kind, capsule }) => `${kind} ${capsule}`);
  if (!isAscending(relations) || body.relations.some(({ capsule }) => !/^[0-9a-f]{64}$/.test(capsule)))
    throw invalid('relations name capsules, in order, and each once');
  if (body.embedder === '' || body.mediaType === '') throw invalid('an embedder and a media type have names');
  if (body.vector.length === 0 || !isUnit(body.vector)) throw invalid('a vector has length 1 or 0');
  if (!isShare(body.novelty) || !isShare(body.importance)) throw invalid('novelty and importance lie between 0 and 1');
  if (body.packed.deflatedFrom !== undefined && body.packed.deflatedFrom <= body.packed.bytes.length)
    throw invalid('packed data is shorter than what is in it');
}

const isShare = (value: number): boolean => value >= 0 && value <= 1 && !Object.is(value, -0);

const isAscending = (texts: readonly string[]): boolean =>
  texts.every((text, index) => index === 0 || compareUtf8(texts[index - 1] ?? '', text) < 0);

function atMost(what: string, count: number, max: number): void {
  if (count > max) throw new PeerAiError('LIMIT_EXCEEDED', `${count} ${what}; at most ${max}`, { what, count, max });
}

const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);
