import { orAborted, PeerAiError } from '@peerai/core-protocol';

import { createTurns } from '../turns.ts';
import type { IndexState } from './accelerator.ts';
import type { Audience, Capsule, CapsuleCard, CapsuleId } from './capsule.ts';
import { consolidate, type Consolidation, type ConsolidationTold, undoConsolidation } from './consolidate.ts';
import type { CapsuleDraft } from './draft.ts';
import { embedAgain, lackingOf, roomFor } from './embed-again.ts';
import type { Embedder } from './embedder.ts';
import { buryCapsules, forgetCapsule, honourForget } from './forget.ts';
import { cardOf, type VectorSpace } from './holdings.ts';
import { type Inner, load, type MemoryDeps, type MemoryOptions } from './inner.ts';
import { addCapsule, takeCapsules, type TakeResult } from './keep.ts';
import { memoryLimits as limits } from './limits.ts';
import { type ListPage, listPage, type ListQuestion } from './list.ts';
import type { ConsolidationRule } from './plan.ts';
import { ask, type MemoryQuery, type SearchAnswer } from './query.ts';
import { capsuleKey } from './rows.ts';
import { bytesFor, capsuleOf, type OpenedCapsule } from './signed-capsule.ts';
import { createUses } from './uses.ts';

/** What a device remembers. Whatever was acknowledged is on disk. */
export interface Memory {
  /**
   * Embedded, signed, sealed and on disk when it resolves. Throws INVALID_OPTION, LIMIT_EXCEEDED, MEMORY_FULL, ABORTED, STORE_FULL, what the embedder throws.
   *
   * @param by - instead of the first of the memory's embedders.
   */
  add(draft: CapsuleDraft, signal: AbortSignal, by?: Embedder): Promise<CapsuleCard>;
  /** What is known without opening it. */
  card(id: CapsuleId): CapsuleCard | undefined;
  /** The whole capsule. Undefined for one that is not here. Throws DECRYPTION_FAILED, INVALID_FORMAT when its row was damaged since. */
  get(id: CapsuleId): Promise<Capsule | undefined>;
  /** Newest first. Throws INVALID_FORMAT, LIMIT_EXCEEDED. */
  list(question?: ListQuestion): ListPage;
  /** Each capsule it returns to this device itself counts as used. Throws INVALID_OPTION, LIMIT_EXCEEDED, ABORTED. */
  search(query: MemoryQuery, signal: AbortSignal): Promise<SearchAnswer>;
  /** How many capsules this embedder has made no vector of; those that it could not take do not count. */
  lacking(space: VectorSpace): number;
  /** Whether one more vector of this embedder fits beside those that were made here (`localVectorBytesMax`). */
  hasRoomFor(space: VectorSpace): boolean;
  /**
   * Gives those a vector of this embedder beside their own, which their author signed and which stays; newest first, so many at a time. Ends when none is left,
   * or there is no room for more. A capsule is found by the vector of the first embedder that answers. What is done when this ends early stays.
   * Throws ABORTED, STORE_FULL, INVALID_OPTION, what the embedder throws.
   *
   * @param told - how many are left, after each step.
   */
  embedAgain(embedder: Embedder, signal: AbortSignal, told?: (left: number) => void): Promise<void>;
  /** Gone from the disk, a tombstone in its place, so that no copy comes back; with what it replaced. False for one that is not here. */
  forget(id: CapsuleId): Promise<boolean>;
  /** As its author asks (`signForget`), or a key that goes on for its author's. False for one that is not here. Throws REFUSED for another author's, INVALID_FORMAT, INVALID_SIGNATURE. */
  honourForget(signed: Uint8Array): Promise<boolean>;
  /** Capsules of other peers, each checked; those that are good are on disk when it resolves. Throws LIMIT_EXCEEDED for too many, STORE_FULL. */
  take(signed: readonly Uint8Array[]): Promise<readonly TakeResult[]>;
  /**
   * From another device that the owner of this one declared its own: personal ones too. What a consolidation took away here does not come back as long as it
   * can be undone. Throws LIMIT_EXCEEDED for too many, STORE_FULL.
   */
  takeOwn(signed: readonly Uint8Array[]): Promise<readonly TakeResult[]>;
  /** Ids that were forgotten, the oldest first. */
  forgotten(): readonly CapsuleId[];
  /** As another device of this owner forgot them: a tombstone each, also for those that are not here. Which of them were here. Throws LIMIT_EXCEEDED for too many, STORE_FULL. */
  bury(ids: readonly CapsuleId[]): Promise<readonly CapsuleId[]>;
  /** The signed bytes for another peer. Throws NOT_FOUND, CAPSULE_PERSONAL (for a personal one, unless it is for a device of the same owner), CAPSULE_NOT_SHARED. */
  handOut(id: CapsuleId, audience: Exclude<Audience, 'self'>): Promise<Uint8Array>;
  /**
   * Takes away what is old and seldom used, and makes one of near-equal capsules of this device; a second run right after changes nothing.
   * Aborted, it takes back what it did. Throws ABORTED, STORE_FULL; MEMORY_FULL when what came meanwhile left no room for that: `undoConsolidation` tries again.
   */
  consolidate(signal: AbortSignal, rule?: Partial<ConsolidationRule>, told?: ConsolidationTold): Promise<Consolidation>;
  /** Brings back what the last consolidation took away; how many. Throws NOT_FOUND, EXPIRED, MEMORY_FULL. */
  undoConsolidation(): Promise<number>;
  state(): MemoryState;
  /** Resolves when no index is being built any more; searches work meanwhile, they look at every vector. Throws ABORTED. */
  indexed(signal: AbortSignal): Promise<void>;
  /** Ends the building of indexes, saves what they have, and writes the last counts of uses. Nothing else waits for it. */
  close(): Promise<void>;
}
export interface MemoryState {
  readonly capsules: number;
  readonly capsulesMax: number;
  /** Of sealed rows. */
  readonly bytes: number;
  readonly bytesMax: number;
  readonly ofOtherPeers: number;
  /** Tombstones. */
  readonly forgotten: number;
  readonly tombstonesMax: number;
  /** Ids of rows that do not open: cut or altered, or sealed with another secret. They are left as they are. */
  readonly damaged: readonly CapsuleId[];
  /** Of embedders with so many capsules that they have one. */
  readonly indexes: readonly IndexState[];
}

const standardRule: ConsolidationRule = {
  expireAfterMs: limits.expireAfterMs,
  keepUsesMin: limits.keepUsesMin,
  mergeCosineMin: limits.mergeCosineMin,
};

/** Opens a memory and reads what it holds. Throws what the store throws. */
export async function openMemory(deps: MemoryDeps, options: MemoryOptions = {}): Promise<Memory> {
  const inner = await load(deps, options);
  const uses = createUses(inner);
  const { holdings } = inner;
  const oneByOne = createTurns();
  const accelerators = () => [...holdings.groups()].flatMap(({ accelerator }) => accelerator ?? []);
  return {
    add: (draft, signal, by) => addCapsule(inner, draft, signal, by),
    card(id) {
      const held = holdings.get(id);
      return held === undefined ? undefined : cardOf(held);
    },
    async get(id) {
      const opened = await read(inner, id);
      return opened === undefined ? undefined : capsuleOf(opened);
    },
    list: (question = {}) => listPage(holdings, question),
    async search(query, signal) {
      const { answer, found } = await ask(inner, query, signal);
      // What others ask keeps nothing from expiring here.
      if ((query.audience ?? 'self') === 'self') uses.note(found);
      return answer;
    },
    lacking: (space) => lackingOf(inner, space),
    hasRoomFor: (space) => roomFor(inner, space) > 0,
    embedAgain: (embedder, signal, told = () => undefined) => embedAgain(inner, embedder, signal, told),
    forget: (id) => forgetCapsule(inner, id),
    honourForget: (signed) => honourForget(inner, signed),
    take: (signed) => takeCapsules(inner, signed),
    takeOwn: (signed) => takeCapsules(inner, signed, 'own'),
    forgotten: () => [...inner.forgotten.keys()],
    bury: (ids) => buryCapsules(inner, ids),
    consolidate: (signal, rule, told = () => undefined) =>
      oneByOne(() => consolidate(inner, { ...standardRule, ...rule }, signal, told)),
    undoConsolidation: () => oneByOne(() => undoConsolidation(inner)),
    async handOut(id, audience) {
      const opened = await read(inner, id);
      if (opened === undefined) throw new PeerAiError('NOT_FOUND', 'No such capsule is here.', { id });
      return bytesFor(audience, opened);
    },
    state: () => ({
      capsules: holdings.all.capsules,
      capsulesMax: inner.quota.capsulesMax,
      bytes: holdings.all.bytes,
      bytesMax: inner.quota.bytesMax,
      ofOtherPeers: holdings.foreign.capsules,
      forgotten: inner.forgotten.size,
      tombstonesMax: inner.quota.tombstonesMax,
      damaged: [...inner.damaged],
      indexes: accelerators().map((one) => one.state()),
    }),
    async indexed(signal) {
      await orAborted(Promise.all(accelerators().map((one) => one.settled())), signal);
    },
    async close() {
      inner.closing.abort();
      await uses.settled();
      for (const one of accelerators()) {
        await one.settled();
        await one.save();
      }
    },
  };
}

async function read({ holdings, store, seal }: Inner, id: CapsuleId): Promise<OpenedCapsule | undefined> {
  if (holdings.get(id) === undefined) return undefined;
  const row = await store.get(capsuleKey(id));
  return row === undefined ? undefined : seal.open(id, row);
}
