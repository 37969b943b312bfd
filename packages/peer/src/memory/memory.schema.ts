import { z } from 'zod';
import { limits } from '../limits.ts';

const levelSchema = z.enum(['personal', 'behavioral', 'public']);
/** `semantic`: found by meaning, with a model's embeddings; `lexical`: by words and spellings. */
const kindSchema = z.enum(['semantic', 'lexical']);
const idSchema = z.string().regex(/^[0-9a-f]{64}$/u, 'a capsule’s id has 64 hex digits');
const relationSchema = z.object({ kind: z.enum(['replaces', 'follows', 'related']), capsule: idSchema });
const tagSchema = z.string().min(1).max(limits.memoryTagCharsMax);
const tagsSchema = z.array(tagSchema).max(limits.memoryTagsMax);

export const capsuleSchema = z.object({
  id: z.string(),
  author: z.string(),
  authorName: z.string(),
  /** Signed by this peer. */
  mine: z.boolean(),
  level: levelSchema,
  tags: z.array(z.string()),
  summary: z.string(),
  mediaType: z.string(),
  /** Of the data. */
  bytes: z.number(),
  /** The author's clock. */
  createdMs: z.number(),
  quality: z.number(),
  novelty: z.number(),
  importance: z.number(),
  relations: z.array(relationSchema),
  /** Who made the vector it is found by. */
  embedder: z.string(),
  kind: kindSchema,
});
/** One that a peer was asked for: it is there and not kept here. */
export const capsuleElsewhereSchema = capsuleSchema.extend({
  v: z.literal(1),
  /** null where it is no text. */
  text: z.string().nullable(),
  peerId: z.string(),
  peerName: z.string(),
});
/** A share to a peer that is away, or did not take it. */
const waitingShareSchema = z.object({
  capsuleId: z.string(),
  summary: z.string(),
  peerId: z.string(),
  peerName: z.string(),
  sinceMs: z.number(),
  /** What that peer said when it did not take it. */
  problem: z.string().optional(),
});
const keptCapsuleSchema = capsuleSchema.extend({
  /** Since when it is here. */
  keptSinceMs: z.number(),
  /** Searches that returned it. */
  uses: z.number(),
});
export const capsuleDetailSchema = keptCapsuleSchema.extend({
  v: z.literal(1),
  /** null where it is no text. */
  text: z.string().nullable(),
});
const embedderSchema = z.object({
  name: z.string(),
  kind: kindSchema,
  /** `memory.embedder`: `auto`, `lexical`, `off`, or the name of a model. */
  setting: z.string(),
  /** Capsules that the model in use, or the one that is away, has not embedded yet; they are found by words until then. */
  left: z.number(),
  /** Why the model that is named, or was chosen, is not used now. */
  problem: z.string().optional(),
  /** Why it reads no more, though some is left. */
  full: z.string().optional(),
});
export const memoryListSchema = z.object({
  v: z.literal(1),
  /** Newest first. */
  capsules: z.array(keptCapsuleSchema),
  /** Where the next page begins; absent on the last. */
  next: z.string().optional(),
  count: z.number(),
  countMax: z.number(),
  bytes: z.number(),
  bytesMax: z.number(),
  ofOtherPeers: z.number(),
  /** Rows on the disk that do not open. */
  damaged: z.array(z.string()),
  /** Shares on their way to peers that have not taken them, the oldest first. */
  waiting: z.array(waitingShareSchema),
  embedder: embedderSchema,
});
const linkSchema = z.object({
  from: z.string(),
  to: z.string(),
  /** `near`: their vectors are; `source`: the same other peer made both; `tag`: they share some; else `from` names `to`. */
  kind: z.enum(['replaces', 'follows', 'related', 'near', 'source', 'tag']),
  /** Of `near` the cosine, of `tag` how many they share, else 1. */
  strength: z.number(),
});
export const memoryGraphSchema = z.object({
  v: z.literal(1),
  /** The newest. */
  capsules: z.array(keptCapsuleSchema),
  /** The strongest first. */
  links: z.array(linkSchema),
  /** Capsules in all. */
  count: z.number(),
});
export const memoryAddSchema = z
  .object({
    text: z.string().min(1).max(limits.memoryTextCharsMax),
    /** The beginning of the text unless said. */
    summary: z.string().max(limits.memorySummaryCharsMax).optional(),
    level: levelSchema.default('personal'),
    tags: tagsSchema.default([]),
    relations: z.array(relationSchema.strict()).max(limits.memoryRelationsMax).default([]),
    /** How much it differed from what was expected, 0 to 1; part of its importance. */
    surprise: z.number().min(0).max(1).optional(),
  })
  .strict();
/** What embeds what is added now stands beside what was added. */
export const memoryAddedSchema = z.object({ v: z.literal(1), capsule: keptCapsuleSchema, embedder: embedderSchema });
export const memoryListQuestionSchema = z
  .object({
    limit: z.coerce.number().int().min(1).max(limits.memoryPageMax).default(50),
    after: z.string().max(128).optional(),
    level: levelSchema.optional(),
    tag: tagSchema.optional(),
  })
  .strict();
export const memorySearchSchema = z
  .object({
    text: z.string().min(1).max(limits.memoryQuestionCharsMax),
    /** At least one of them. */
    tags: tagsSchema.default([]),
    /** The author's time: `fromMs` inclusive, `toMs` exclusive. */
    fromMs: z.number().int().min(0).optional(),
    toMs: z.number().int().min(0).optional(),
    qualityMin: z.number().min(0).max(1).optional(),
    level: levelSchema.optional(),
    limit: z.number().int().min(1).max(limits.memoryHitsMax).default(10),
    /** Ask this paired peer instead. */
    peer: z.string().min(1).max(128).optional(),
    /** Ask the paired peers that are here too. */
    everywhere: z.boolean().default(false),
  })
  .strict();
const hitSchema = z.object({
  capsule: capsuleSchema,
  /** By what hits are ordered: similarity, quality, tags and age together. */
  score: z.number(),
  similarity: z.number(),
  kind: kindSchema,
  /** Whose memory it was found in. */
  peerId: z.string(),
  peerName: z.string(),
});
export const memoryShareSchema = z.object({ to: z.string().min(1).max(128) }).strict();
export const memorySharedSchema = z.object({
  v: z.literal(1),
  capsule: keptCapsuleSchema,
  peerId: z.string(),
  peerName: z.string(),
  /** `known`: it had it already. `waiting`: it is away, and gets it when it is back. */
  outcome: z.enum(['taken', 'known', 'waiting']),
});
export const memoryFoundSchema = z.object({
  v: z.literal(1),
  /** Best first. */
  hits: z.array(hitSchema),
  /** Capsules that were compared. */
  searched: z.number(),
  /** Capsules that could not be compared with the question. */
  leftOut: z.array(
    z.object({ embedder: z.string(), count: z.number(), reason: z.enum(['no-embedder', 'embedder-failed']) }),
  ),
  leftOutCount: z.number(),
  embedder: embedderSchema,
  /** Other peers that were asked, and what went wrong; absent when none was. */
  asked: z
    .array(z.object({ peerId: z.string(), name: z.string(), hits: z.number(), problem: z.string().optional() }))
    .optional(),
});
export const consolidationSchema = z.object({
  v: z.literal(1),
  /** Too old and too seldom used. */
  expired: z.number(),
  /** So many became part of `merged` others. */
  replaced: z.number(),
  merged: z.number(),
  /** Until when it can be undone; null when nothing changed. */
  undoUntilMs: z.number().nullable(),
});
export const consolidationUndoneSchema = z.object({ v: z.literal(1), restored: z.number() });
export type CapsuleView = z.infer<typeof capsuleSchema>;
export type KeptCapsuleView = z.infer<typeof keptCapsuleSchema>;
export type CapsuleElsewhere = z.infer<typeof capsuleElsewhereSchema>;
export type WaitingShareView = z.infer<typeof waitingShareSchema>;
export type CapsuleDetail = z.infer<typeof capsuleDetailSchema>;
export type MemoryEmbedderView = z.infer<typeof embedderSchema>;
export type MemoryListView = z.infer<typeof memoryListSchema>;
export type MemoryListQuestion = Partial<z.output<typeof memoryListQuestionSchema>>;
/** The same, as a caller may write it: what is not asked is not there. */
export interface MemoryPageQuestion {
  readonly limit?: number;
  readonly after?: string;
  readonly level?: MemoryLevel;
  readonly tag?: string;
}
type MemoryLevel = z.infer<typeof levelSchema>;
export type MemoryLink = z.infer<typeof linkSchema>;
export type MemoryGraphView = z.infer<typeof memoryGraphSchema>;
export type MemoryAddRequest = z.input<typeof memoryAddSchema>;
export type MemoryAddedView = z.infer<typeof memoryAddedSchema>;
export type MemorySearchRequest = z.input<typeof memorySearchSchema>;
export type MemoryHitView = z.infer<typeof hitSchema>;
export type MemorySharedView = z.infer<typeof memorySharedSchema>;
export type MemoryFoundView = z.infer<typeof memoryFoundSchema>;
export type ConsolidationView = z.infer<typeof consolidationSchema>;
export type ConsolidationUndoneView = z.infer<typeof consolidationUndoneSchema>;
