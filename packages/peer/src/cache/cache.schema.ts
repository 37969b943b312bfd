import { z } from 'zod';

const sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/u, 'a SHA-256 in 64 hex digits');
/** Body of `POST /cache`: a file by its SHA-256, or a capsule by its id. */
export const cacheRequestSchema = z.strictObject({
  sha256,
  kind: z.enum(['file', 'capsule']).default('file'),
  /** A model file is imported under this name too. */
  importAs: z.string().min(1).max(128).optional(),
});
export type CacheRequest = z.input<typeof cacheRequestSchema>;

const cachedSchema = z.object({
  sha256: z.string(),
  bytes: z.number(),
  fetchedMs: z.number(),
  /** When it was last given to somebody or asked for: what was used longest ago goes first. */
  usedMs: z.number(),
  fromName: z.string(),
});
export const cacheSchema = z.object({
  v: z.literal(1),
  files: z.array(cachedSchema),
  bytes: z.number(),
  quotaBytes: z.number(),
  /** Paired devices may fetch from here. */
  offered: z.boolean(),
});
/** Who was asked, nearest first; the last one gave it. */
export const fetchedSchema = z.object({
  v: z.literal(1),
  sha256: z.string(),
  bytes: z.number(),
  /** It was here already: nobody was asked. */
  wasHere: z.boolean(),
  asked: z.array(
    z.object({
      name: z.string(),
      roundTripMs: z.number().nullable(),
      code: z.string().nullable(),
      reason: z.string().optional(),
    }),
  ),
  importedAs: z.string().optional(),
});
export type CacheView = z.infer<typeof cacheSchema>;
export type CachedView = z.infer<typeof cachedSchema>;
export type FetchedView = z.infer<typeof fetchedSchema>;
