import {
  type Change,
  type Clock,
  type CryptoProvider,
  type Identity,
  type PeerId,
  type Random,
  type Store,
  toHex,
  utf8,
} from '@peerai/core-protocol';

import { createTurns } from '../turns.ts';
import { Accelerator } from './accelerator.ts';
import type { CapsuleId } from './capsule.ts';
import { type Embedder, embedderKinds, lexicalEmbedder } from './embedder.ts';
import { groupKey, type Held, Holdings } from './holdings.ts';
import { memoryLimits as limits } from './limits.ts';
import { type Part, partRange, readPart } from './consolidation-rows.ts';
import { createRowSeal, readForgotten, readUses, type RowSeal, rowsOf } from './rows.ts';
import type { OpenedCapsule } from './signed-capsule.ts';
import type { VectorIndexes } from './vector-index.ts';

export interface MemoryDeps {
  /** A room of its own: `store.room('memory')`. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: CryptoProvider;
  /** Signs what is remembered here. */
  readonly identity: Identity;
  /** Keys this device had before: what they signed is its own. */
  readonly formerKeys?: ReadonlySet<PeerId>;
  /** Does the first key go on for the second, of another peer? Then it may ask to forget what the second signed. */
  readonly goesOnFor?: (newer: PeerId, older: PeerId) => boolean;
  /** 32 bytes that only this device has, its key's seed for instance: the key of the rows on disk is derived from them. */
  readonly secret: Uint8Array;
  /** The first one embeds what is added, all of them what is asked; `lexicalEmbedder` alone unless said. */
  readonly embedders?: readonly Embedder[];
  /** Makes large memories fast, `createUsearchIndexes` of `@peerai/nn-engine/node` for instance; without it every search looks at every vector. */
  readonly indexes?: VectorIndexes;
}
export interface MemoryOptions {
  /** How much may be held; the limits of this part unless said, and never more. */
  readonly capsulesMax?: number;
  readonly bytesMax?: number;
  readonly tombstonesMax?: number;
  readonly localVectorBytesMax?: number;
  /** Rows of one embedder above which `indexes` is used; the limit of this part unless said. */
  readonly indexAboveRows?: number;
}

/** What the uses of a memory share. Nothing in it changes before the change is on disk. */
export interface Inner extends MemoryDeps {
  readonly embedders: readonly Embedder[];
  readonly quota: Required<Omit<MemoryOptions, 'indexAboveRows'>>;
  readonly seal: RowSeal;
  readonly holdings: Holdings;
  /** Ids and when they were forgotten, the oldest first. */
  readonly forgotten: Map<CapsuleId, number>;
  /** What consolidations took away and can still bring back, by run and place. */
  readonly parts: Part[];
  /** Rows that do not open. */
  readonly damaged: Set<CapsuleId>;
  /** Capsules that an embedder could not take, by its group's key: they are not tried again until the memory is opened again. */
  readonly refusedBy: Map<string, Set<CapsuleId>>;
  readonly inTurn: ReturnType<typeof createTurns>;
  /** Ends what goes on by itself. */
  readonly closing: AbortController;
}
/** Rows to write, and what is true once they are. */
export interface Step {
  readonly changes: readonly Change[];
  readonly apply: () => void;
}

export async function commit({ store }: Pick<Inner, 'store'>, steps: readonly Step[]): Promise<void> {
  await store.commit(steps.flatMap(({ changes }) => changes));
  for (const { apply } of steps) apply();
}

/** Reads everything; a row that does not open is left out and named. */
export async function load(deps: MemoryDeps, options: MemoryOptions): Promise<Inner> {
  const inner: Inner = {
    ...deps,
    embedders: deps.embedders ?? [lexicalEmbedder],
    quota: {
      capsulesMax: Math.min(options.capsulesMax ?? Infinity, limits.capsulesMax),
      bytesMax: Math.min(options.bytesMax ?? Infinity, limits.bytesMax),
      tombstonesMax: Math.min(options.tombstonesMax ?? Infinity, limits.tombstonesMax),
      localVectorBytesMax: Math.min(options.localVectorBytesMax ?? Infinity, limits.localVectorBytesMax),
    },
    seal: createRowSeal(deps, deps.secret),
    holdings: new Holdings(),
    forgotten: new Map(),
    parts: [],
    damaged: new Set(),
    refusedBy: new Map(),
    inTurn: createTurns(),
    closing: new AbortController(),
  };
  const uses = new Map<CapsuleId, number>();
  for await (const [id, row] of rowsOf(deps.store, 'uses')) uses.set(id, readSafely(() => readUses(row)) ?? 0);
  const forgotten: [CapsuleId, number][] = [];
  for await (const [id, row] of rowsOf(deps.store, 'forgotten'))
    forgotten.push([id, readSafely(() => readForgotten(row)) ?? 0]);
  for (const [id, forgottenMs] of forgotten.sort((a, b) => a[1] - b[1])) inner.forgotten.set(id, forgottenMs);
  for await (const { value } of deps.store.range(...partRange)) {
    const part = readSafely(() => readPart(value));
    if (part !== undefined) inner.parts.push(part);
  }
  for await (const [id, row] of rowsOf(deps.store, 'capsule')) {
    const opened = readSafely(() => inner.seal.open(id, row));
    if (opened === undefined) inner.damaged.add(id);
    else inner.holdings.put(opened, kept(inner, opened, row, opened.keptSinceMs, uses.get(id)));
  }
  for (const kind of embedderKinds)
    for await (const [id, row] of rowsOf(deps.store, kind)) {
      const made = readSafely(() => inner.seal.openVector(id, kind, row));
      if (made !== undefined && made.vector.length > 0) inner.holdings.putMade(id, made);
    }
  speedUp(inner, options.indexAboveRows ?? limits.indexAboveRows);
  return inner;
}

function speedUp({ holdings, indexes, clock, crypto, closing }: Inner, aboveRows: number): void {
  if (indexes === undefined) return;
  const { signal } = closing;
  holdings.accelerateWith((group) => {
    if (group.held.length <= aboveRows || signal.aborted) return undefined;
    const name = toHex(crypto.sha256(utf8(groupKey(group.space)))).slice(0, 16);
    return new Accelerator({ indexes, clock, name, signal }, group);
  });
}

export function kept(inner: Inner, { facts }: OpenedCapsule, row: Uint8Array, keptSinceMs: number, uses = 0) {
  const mine = facts.author === inner.identity.peer || inner.formerKeys?.has(facts.author) === true;
  return { mine, keptSinceMs, rowBytes: row.length, uses } satisfies Partial<Held>;
}

function readSafely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
