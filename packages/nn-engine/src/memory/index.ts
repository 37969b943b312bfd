/**
 * What a device remembers: signed capsules with privacy levels that hold, sealed rows in a `Store`, search by a written formula.
 *
 * @packageDocumentation
 */
export type { IndexState } from './accelerator.ts';
export {
  type Audience,
  type Capsule,
  type CapsuleCard,
  type CapsuleFacts,
  type CapsuleId,
  type PrivacyLevel,
  privacyLevels,
  type Relation,
  relationKinds,
} from './capsule.ts';
export type { Consolidation, ConsolidationTold } from './consolidate.ts';
export { type CapsuleDraft, capsuleText } from './draft.ts';
export { type Embedder, type EmbedderKind, embedderKinds, embedderOf, lexicalEmbedder } from './embedder.ts';
export { type ForgetRequest, openForget, signForget } from './forget.ts';
export type { MemoryDeps, MemoryOptions } from './inner.ts';
export type { TakeResult } from './keep.ts';
export { memoryLimits } from './limits.ts';
export type { ListPage, ListQuestion } from './list.ts';
export { type Memory, type MemoryState, openMemory } from './memory.ts';
export type { ConsolidationRule } from './plan.ts';
export type { LeftOut, MemoryQuery, SearchAnswer } from './query.ts';
export type { Ranking, SearchFilter, SearchHit } from './search.ts';
export { openCapsule } from './signed-capsule.ts';
export type { Nearest, SavedIndex, VectorIndex, VectorIndexes } from './vector-index.ts';
