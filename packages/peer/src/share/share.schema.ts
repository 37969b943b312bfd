import { z } from 'zod';

export const shareRequestSchema = z
  .object({
    model: z.string().min(1).max(128),
    /** Life in milliseconds. */
    forMs: z.number().int().positive().optional(),
    tokens: z.number().int().positive().optional(),
    guests: z.number().int().positive().optional(),
    concurrency: z.number().int().positive().optional(),
  })
  .strict();
export const shareSchema = z.object({
  id: z.string(),
  models: z.array(z.string()),
  /** Carries the secret. */
  link: z.string(),
  /** The same right for programs that know only an API key (`/llama/1.0.0`). */
  apiKey: z.string(),
  /** How far the link works: anywhere, on this network, on this machine. */
  reach: z.enum(['relay', 'lan', 'machine']),
  /** Said before the link is copied, when it does not work everywhere. */
  warning: z.string().optional(),
  createdMs: z.number(),
  expiresMs: z.number(),
  tokens: z.object({ budget: z.number(), used: z.number(), reserved: z.number() }),
  guestsMax: z.number(),
  guests: z.array(
    z.object({
      peerId: z.string(),
      emoji: z.array(z.string()),
      online: z.boolean(),
      tokensUsed: z.number(),
      lastSeenMs: z.number(),
    }),
  ),
  concurrency: z.number(),
  active: z.number(),
  state: z.enum(['active', 'expired', 'spent', 'stopped']),
});
export const sharesSchema = z.object({ v: z.literal(1), shares: z.array(shareSchema) });
export type ShareRequest = z.infer<typeof shareRequestSchema>;
export type ShareView = z.infer<typeof shareSchema>;
