import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  concatBytes,
  type CryptoProvider,
  fromHex,
  PeerAiError,
  type Random,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import type { Index } from 'usearch';

import type { NnErrorCode } from '../errors.ts';
import type { CapsuleId } from '../memory/capsule.ts';
import type { Nearest, SavedIndex, VectorIndex, VectorIndexes } from '../memory/vector-index.ts';

export interface UsearchDeps {
  /** For the sealed files; made when needed. */
  readonly folder: string;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  /** The memory's: files are sealed under a key derived from it. */
  readonly secret: Uint8Array;
}

/** Neighbours a row keeps, and rows looked at when adding and when asking: 0.99 of the true ten nearest among 100,000. */
const shape = { connectivity: 16, expansion_add: 128, expansion_search: 96 } as const;
/**
 * Of the cosine of two rows in float16: each number is off by up to 2^-11 of itself, so the sum by up to 2^-10 of both lengths; twice that, for
 * kernels that add up in less than float32.
 */
const halfErrorMax = 2 ** -9;
const [nonceBytes, labelBytes, idBytes, countBytes] = [12, 4, 32, 4];
const temporary = 'unsealed-';

/**
 * Indexes of `usearch` (HNSW, float16; an optional package, ENGINE_MISSING without it), saved as AES-256-GCM files `‹name›.index`. usearch writes and
 * reads plain files only, so for a moment one lies in a folder of its own that only this user may read; what a crash leaves there goes at the next start.
 */
export function createUsearchIndexes({ folder, crypto, random, secret }: UsearchDeps): VectorIndexes {
  const aead = crypto.aead['aes-256-gcm'];
  const key = crypto.hkdfSha256(secret, new Uint8Array(), utf8('peerai/memory/1 index'), 32);
  // Version 1 had float32: such a file does not open under this header, and is made again.
  const header = (name: string): Uint8Array => utf8(`peerai/memory/2 index ${name}`);
  const fileOf = (name: string): string => join(folder, `${name}.index`);
  let prepared: Promise<void> | undefined;
  const plainFile = async <T>(work: (path: string) => Promise<T>): Promise<T> => {
    prepared ??= prepare(folder);
    await prepared;
    const place = await mkdtemp(join(folder, temporary));
    try {
      return await work(join(place, 'index'));
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  };
  return {
    create: async (dimensions) => new UsearchIndex(await newIndex(dimensions)),
    async load(name, dimensions) {
      const sealed = await readFile(fileOf(name)).catch(() => undefined);
      if (sealed === undefined) return undefined;
      const index = await newIndex(dimensions);
      try {
        const plain = aead.open(key, sealed.subarray(0, nonceBytes), sealed.subarray(nonceBytes), header(name));
        const { ids, rest } = readIds(plain);
        await plainFile(async (path) => {
          await writeFile(path, rest, { mode: 0o600 });
          index.load(path);
        });
        return index.dimensions() === dimensions && index.size() === ids.size
          ? { index: new UsearchIndex(index), ids }
          : undefined;
      } catch {
        return undefined;
      }
    },
    async save(name, { index, ids }) {
      if (!(index instanceof UsearchIndex))
        throw new PeerAiError<NnErrorCode>('INVALID_OPTION', 'Only indexes that were made here are saved here.');
      const plain = await plainFile(async (path) => {
        index.inner.save(path);
        return concatBytes(writeIds(ids), await readFile(path));
      });
      const nonce = random.bytes(nonceBytes);
      const draft = `${fileOf(name)}.new`;
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(nonce);
        await file.writeFile(aead.seal(key, nonce, plain, header(name)));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, fileOf(name));
    },
  };
}

class UsearchIndex implements VectorIndex {
  readonly inner: Index;
  readonly errorMax = halfErrorMax;

  constructor(inner: Index) {
    this.inner = inner;
  }

  add(labels: readonly number[], vectors: Float32Array): void {
    this.inner.add(BigUint64Array.from(labels, BigInt), vectors, 1);
  }

  remove(label: number): void {
    this.inner.remove(BigInt(label));
  }

  search(vector: Float32Array, count: number): Nearest {
    const { keys, distances } = this.inner.search(vector, count, 1);
    const [labels, cosines]: [number[], number[]] = [[], []];
    for (const key of keys) labels.push(Number(key));
    // Of the inner product it gives 1 less it; rounding may leave a little more than 1.
    for (const distance of distances) cosines.push(Math.max(-1, Math.min(1, 1 - distance)));
    return { labels, cosines };
  }
}

async function newIndex(dimensions: number): Promise<Index> {
  const { default: usearch } = await import('usearch').catch((cause: unknown) => {
    throw new PeerAiError<NnErrorCode>(
      'ENGINE_MISSING',
      'The package usearch is not installed, or has no binary for this system; large memories are searched without it.',
      { package: 'usearch', reason: cause instanceof Error ? cause.message : String(cause) },
    );
  });
  return new usearch.Index({
    dimensions,
    metric: usearch.MetricKind.IP,
    quantization: usearch.ScalarKind.F16,
    multi: false,
    ...shape,
  });
}

/** What an earlier process left unsealed goes. */
async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name.startsWith(temporary)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Count, then label (uint32) and id of each. */
function writeIds(ids: SavedIndex['ids']): Uint8Array {
  const bytes = new Uint8Array(countBytes + ids.size * (labelBytes + idBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ids.size);
  let place = countBytes;
  for (const [label, id] of ids) {
    view.setUint32(place, label);
    bytes.set(fromHex(id), place + labelBytes);
    place += labelBytes + idBytes;
  }
  return bytes;
}

function readIds(bytes: Uint8Array): { readonly ids: ReadonlyMap<number, CapsuleId>; readonly rest: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = countBytes + view.getUint32(0) * (labelBytes + idBytes);
  const ids = new Map<number, CapsuleId>();
  for (let place = countBytes; place < end; place += labelBytes + idBytes)
    ids.set(view.getUint32(place), toHex(bytes.subarray(place + labelBytes, place + labelBytes + idBytes)));
  return { ids, rest: bytes.subarray(end) };
}
