import { z } from 'zod';

const lineSchema = z.object({
  /** `stranger`, `said`, or what the peer did. */
  reason: z.string(),
  /** The same for people. */
  text: z.string(),
  /** What it adds to the score, or takes; all of a score's lines sum to it. */
  contribution: z.number(),
  /** How often, ever; null where it is not counted. */
  times: z.number().nullable(),
});
const refusalSchema = z.object({
  /** What brought it about, and the same for people. */
  deed: z.string(),
  text: z.string(),
  /** The how manieth; each takes twice as long as the one before. */
  strikes: z.number(),
  sinceMs: z.number(),
  untilMs: z.number(),
  leftMs: z.number(),
});
export const reputationSchema = z.object({
  peerId: z.string(),
  name: z.string(),
  paired: z.boolean(),
  /** 0 to 1. */
  score: z.number(),
  lines: z.array(lineSchema),
  /** It gets no link and no answer for a while; null: it does. */
  refused: refusalSchema.nullable(),
});
export const reputationDetailSchema = z.object({
  v: z.literal(1),
  reputation: reputationSchema,
  /** Who is below it gets no new lease here. */
  admissionMin: z.number(),
});
export const reputationsSchema = z.object({
  v: z.literal(1),
  /** Devices, and others that are known for what they did or are refused. */
  peers: z.array(reputationSchema),
  /** Score of somebody nothing is known of, and the one below which a peer that misbehaves is refused. */
  strangerScore: z.number(),
  refuseBelow: z.number(),
  /** Who is below it gets no new lease here. */
  admissionMin: z.number(),
});
export type ReputationView = z.output<typeof reputationSchema>;
export type ReputationDetail = z.output<typeof reputationDetailSchema>;
export type ReputationsView = z.output<typeof reputationsSchema>;
