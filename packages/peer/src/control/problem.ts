import { z } from 'zod';

/** RFC 9457, with our code, a remedy and an id to find the request in the logs. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  hint: z.string().optional(),
  requestId: z.string(),
  retryAfterMs: z.number().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
