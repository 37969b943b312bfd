import { z } from 'zod';
import { receiptSchema } from '../ledger/ledger.schema.ts';

export const chatRequestSchema = z
  .object({
    model: z.string().min(1).max(256),
    messages: z
      .array(z.object({ role: z.enum(['system', 'user', 'assistant']), text: z.string().max(200_000) }).strict())
      .min(1)
      .max(400),
    maxTokens: z.number().int().min(1).max(32_768).default(1024),
    temperature: z.number().min(0).max(2).optional(),
    topP: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),
  })
  .strict();

export const servedBySchema = z.object({
  peerId: z.string(),
  name: z.string(),
  path: z.enum(['local', 'direct', 'relayed', 'http', 'queued']),
  /** True once both sides signed the receipt; absent where no receipt is owed (a local answer). */
  signed: z.boolean().optional(),
  receipt: receiptSchema.optional(),
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
  }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), hint: z.string().optional() }),
]);
export type ChatRequest = z.input<typeof chatRequestSchema>;
export type ChatEvent = z.infer<typeof chatEventSchema>;
export type ServedBy = z.infer<typeof servedBySchema>;
