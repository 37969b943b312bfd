import { concatBytes, type CryptoProvider, type Random, type Store, utf8, wire } from '@peerai/core-protocol';

import type { CapsuleId } from './capsule.ts';
import { type EmbedderKind, embedderKinds } from './embedder.ts';
import { type OpenedCapsule, openParts } from './signed-capsule.ts';
import { bytesOfFloats, floatsOf } from './vectors.ts';

const keptForm = wire.message({
  signer: wire.bytes(1),
  signature: wire.bytes(2),
  body: wire.bytes(3),
  keptSinceMs: wire.uint53(4),
});
const forgottenForm = wire.message({ forgottenMs: wire.uint53(1) });
const usesForm = wire.message({ uses: wire.uint32(1) });

const vectorForm = wire.message({ embedder: wire.string(1), vector: wire.bytes(2) });

const [nonceBytes, keyBytes] = [12, 32];
const folders = {
  capsule: 'capsule/',
  uses: 'uses/',
  forgotten: 'forgotten/',
  away: 'away/',
  lexical: 'vector-lexical/',
  semantic: 'vector-semantic/',
} as const;
type Folder = keyof typeof folders;

export const capsuleKey = (id: CapsuleId): string => folders.capsule + id;
export const usesKey = (id: CapsuleId): string => folders.uses + id;
/** A capsule's row while a consolidation that took it away can be undone; the same bytes. */
export const awayKey = (id: CapsuleId): string => folders.away + id;
export const forgottenKey = (id: CapsuleId): string => folders.forgotten + id;

/** A vector that was made here beside the capsule's own: at most one of each kind. */
export const vectorKey = (kind: EmbedderKind, id: CapsuleId): string => folders[kind] + id;
/** All of one capsule; they go with it. */
export const vectorKeys = (id: CapsuleId): readonly string[] => embedderKinds.map((kind) => vectorKey(kind, id));

export const usesRow = (uses: number): Uint8Array => usesForm.encode({ uses });
export const readUses = (row: Uint8Array): number => usesForm.decode(row).uses;
export const forgottenRow = (forgottenMs: number): Uint8Array => forgottenForm.encode({ forgottenMs });
export const readForgotten = (row: Uint8Array): number => forgottenForm.decode(row).forgottenMs;

/** All rows of one kind, by id. */
export async function* rowsOf(store: Store, folder: Folder): AsyncIterable<readonly [CapsuleId, Uint8Array]> {
  const from = folders[folder];
  // Ids are hex digits, all before `g`.
  for await (const { key, value } of store.range(from, `${from}g`)) yield [key.slice(from.length), value];
}

/** Seals capsules for the disk: AES-256-GCM under a key for this purpose alone, the id bound, so that rows cannot be swapped. */
export interface RowSeal {
  seal(opened: OpenedCapsule, keptSinceMs: number): Uint8Array;
  /** Throws DECRYPTION_FAILED, INVALID_FORMAT. */
  open(id: CapsuleId, row: Uint8Array): OpenedCapsule & { readonly keptSinceMs: number };
  sealVector(id: CapsuleId, made: MadeVector): Uint8Array;
  /** Throws DECRYPTION_FAILED, INVALID_FORMAT. */
  openVector(id: CapsuleId, kind: EmbedderKind, row: Uint8Array): MadeVector;
}
/** A vector, and who made it. */
export interface MadeVector {
  readonly embedder: string;
  readonly kind: EmbedderKind;
  readonly vector: Float32Array;
}

/** @param secret - 32 bytes that only this device has; the rows open with nothing else. */
export function createRowSeal(
  { crypto, random }: { readonly crypto: CryptoProvider; readonly random: Random },
  secret: Uint8Array,
): RowSeal {
  const aead = crypto.aead['aes-256-gcm'];
  const key = crypto.hkdfSha256(secret, new Uint8Array(), utf8('peerai/memory/1 rows'), keyBytes);
  const header = (id: CapsuleId): Uint8Array => utf8(`peerai/memory/1 ${id}`);
  const vectorHeader = (kind: EmbedderKind, id: CapsuleId): Uint8Array => utf8(`peerai/memory/1 ${kind} vector ${id}`);
  const seal = (plain: Uint8Array, bound: Uint8Array): Uint8Array => {
    const nonce = random.bytes(nonceBytes);
    return concatBytes(nonce, aead.seal(key, nonce, plain, bound));
  };
  const open = (row: Uint8Array, bound: Uint8Array): Uint8Array =>
    aead.open(key, row.subarray(0, nonceBytes), row.subarray(nonceBytes), bound);
  return {
    seal: ({ facts, parts }, keptSinceMs) => seal(keptForm.encode({ ...parts, keptSinceMs }), header(facts.id)),
    open(id, row) {
      const { keptSinceMs, ...parts } = keptForm.decode(open(row, header(id)));
      return { ...openParts(crypto, parts), keptSinceMs };
    },
    sealVector: (id, { embedder, kind, vector }) =>
      seal(vectorForm.encode({ embedder, vector: bytesOfFloats(vector) }), vectorHeader(kind, id)),
    openVector(id, kind, row) {
      const { embedder, vector } = vectorForm.decode(open(row, vectorHeader(kind, id)));
      return { embedder, kind, vector: floatsOf(vector) };
    },
  };
}
