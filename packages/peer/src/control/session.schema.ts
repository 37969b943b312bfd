import { z } from 'zod';

/** A code that a browser's address may carry instead of the control token: good once, and for a minute. */
export const sessionCodeSchema = z.object({ v: z.literal(1), code: z.string(), expiresInMs: z.number() });
export type SessionCodeView = z.infer<typeof sessionCodeSchema>;

export const sessionRequestSchema = z.object({ code: z.string().min(1).max(64) }).strict();
/** What a page gets for its code. */
export const sessionSchema = z.object({ v: z.literal(1), token: z.string() });
export type SessionView = z.infer<typeof sessionSchema>;
