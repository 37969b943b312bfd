import { z } from 'zod';
import { receiptSchema } from '../ledger/ledger.schema.ts';
import { limits } from '../limits.ts';

export const chatRequestSchema = z
  .object({
    model: z.string().min(1).max(limits.chatModelCharsMax),
    messages: z
      .array(
        z
          .object({ role: z.enum(['system', 'user', 'assistant']), text: z.string().max(limits.chatTextCharsMax) })
          .strict(),
      )
      .min(1)
      .max(limits.chatMessagesMax),
    maxTokens: z.number().int().min(1).max(limits.chatTokensMax).default(1024),
    temperature: z.number().min(0).max(2).optional(),
    topP: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),
    /** The model is given what is remembered here that fits the last question: all of it for a model of this peer, public capsules for another's. */
    memory: z
      .object({
        notes: z.number().int().min(1).max(limits.recallNotesMax).default(4),
        tags: z.array(z.string().min(1).max(limits.memoryTagCharsMax)).max(limits.memoryTagsMax).default([]),
      })
      .strict()
      .optional(),
  })
  .strict();

export const servedBySchema = z.object({
  peerId: z.string(),
  name: z.string(),
  path: z.enum(['local', 'direct', 'relayed', 'http', 'queued']),
  /** True once both sides signed the receipt; absent where no receipt is owed (a local answer). */
  signed: z.boolean().optional(),
  receipt: receiptSchema.optional(),
  /** What the peer signed of a deterministic model's answer, base64url: `peerai check-answer` asks it again. */
  statement: z.string().optional(),
});
/** A capsule that the model was given, in the order of the numbers it may name. */
const answerSourceSchema = z.object({
  id: z.string(),
  summary: z.string(),
  level: z.enum(['personal', 'behavioral', 'public']),
  author: z.string(),
  authorName: z.string(),
  kind: z.enum(['semantic', 'lexical']),
  score: z.number(),
});
/** One server-sent event of `POST /api/v1/chat`. */
export const chatEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), model: z.string(), servedBy: servedBySchema }),
  z.object({ type: z.literal('delta'), text: z.string() }),
  z.object({
    type: z.literal('finish'),
    reason: z.enum(['stop', 'length', 'tool-calls']),
    promptTokens: z.number(),
    answerTokens: z.number(),
    firstTokenMs: z.number(),
    totalMs: z.number(),
    tokensPerSecond: z.number(),
    servedBy: servedBySchema,
    suggestions: z.array(z.string()).optional(),
    /** What was remembered and given to the model; empty when nothing fitted, absent when nothing was asked for. */
    sources: z.array(answerSourceSchema).optional(),
  }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), hint: z.string().optional() }),
]);
/** What asking again gave: see `checkAnswer`. */
export const answerCheckSchema = z.object({
  v: z.literal(1),
  /** `cannot-tell`: another answer came, and where they part the model was so near to another choice that another processor's last bits may decide. */
  verdict: z.enum(['equal', 'different', 'cannot-tell']),
  /** Who signed. */
  provider: z.string(),
  model: z.string(),
  engine: z.string(),
  version: z.string(),
  /** The provider's clock. */
  statedMs: z.number(),
  /** What the model says here, where that is something else; how it ended; and how sure it was where they part, nats, where it says. */
  here: z.string().optional(),
  reason: z.enum(['stop', 'length', 'tool-calls']).optional(),
  margin: z.number().optional(),
});
export type AnswerCheckView = z.infer<typeof answerCheckSchema>;
export type ChatRequest = z.input<typeof chatRequestSchema>;
export type ChatEvent = z.infer<typeof chatEventSchema>;
export type AnswerSource = z.infer<typeof answerSourceSchema>;
export type ServedBy = z.infer<typeof servedBySchema>;
