import { z } from 'zod';

/** A key for the AI gateway only. Its text is shown once, when it is made. */
export const keyRequestSchema = z.object({ name: z.string().regex(/^[\w.-]{1,64}$/) }).strict();
export const keySchema = z.object({
  name: z.string(),
  createdMs: z.number(),
  lastUsedMs: z.number().nullable(),
  /** Only in the answer to its making. */
  key: z.string().optional(),
});
export const keysSchema = z.object({ v: z.literal(1), keys: z.array(keySchema) });
export type KeyView = z.infer<typeof keySchema>;
