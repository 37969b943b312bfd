import { limits } from '@peerai/core-protocol';
import { z } from 'zod';

export const rotateRequestSchema = z
  .object({
    graceMs: z.number().int().min(0).max(limits.keyGraceMsMax).default(86_400_000),
    force: z.boolean().default(false),
  })
  .strict();
export const rotationSchema = z.object({
  v: z.literal(1),
  from: z.string(),
  /** This peer's id from its next start on. */
  to: z.string(),
  graceUntilMs: z.number(),
  /** Share links that name the old key, and work no more. */
  sharesEnded: z.number(),
});
export const revocationSchema = z.object({ v: z.literal(1), peer: z.string(), devices: z.number(), told: z.number() });

export type RotateRequest = z.infer<typeof rotateRequestSchema>;
export type RotationView = z.infer<typeof rotationSchema>;
export type RevocationView = z.infer<typeof revocationSchema>;
