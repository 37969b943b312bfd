import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { createIdentity, type Identity, toHex } from '@peerai/core-protocol';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';

import type { CapsuleBody } from '../capsule-wire.ts';
import { packData } from '../capsule-wire.ts';
import { lexicalEmbedder } from '../embedder.ts';
import type { MemoryDeps } from '../inner.ts';
import { bytesFor, signCapsule } from '../signed-capsule.ts';
import { lexicalHash } from '../../nano/embedding.ts';

/** Everything a memory needs, from one seed. */
export function memoryDeps(seed: number, parts: Pick<MemoryDeps, 'embedders'> = {}) {
  const random = seededRandom(seed);
  return {
    store: new MemoryStore(),
    clock: new ManualClock(),
    random,
    crypto,
    identity: createIdentity(crypto, random.bytes(32)),
    secret: random.bytes(32),
    ...parts,
  };
}

export const utf8Data = (text: string) => packData(new TextEncoder().encode(text));

/** A body in bounds, with what a test wants otherwise. */
export function bodyOf(parts: Partial<CapsuleBody> = {}): CapsuleBody {
  return {
    createdMs: 1_700_000_000_000,
    level: 'public',
    tags: ['garden'],
    summary: 'tomatoes',
    mediaType: 'text/plain',
    packed: utf8Data('tomatoes like sun'),
    embedder: lexicalEmbedder.name,
    embedderKind: 'lexical',
    vector: lexicalHash('tomatoes like sun'),
    novelty: 1,
    importance: 0.5,
    relations: [{ kind: 'related', capsule: toHex(new Uint8Array(32).fill(7)) }],
    ...parts,
  };
}

/** A capsule as another peer hands it out. */
export const signedBy = (identity: Identity, parts: Partial<CapsuleBody> = {}): Uint8Array =>
  bytesFor('paired', signCapsule(crypto, identity, bodyOf(parts)));

/** An embedder whose vectors a test chooses. */
export const embedderOfTable = (table: Readonly<Record<string, readonly number[]>>, name = 'table/1') => ({
  name,
  dimensions: 3,
  kind: 'semantic' as const,
  embed: async (texts: readonly string[]) => texts.map((text) => Float32Array.from(table[text] ?? [0, 0, 0])),
});
