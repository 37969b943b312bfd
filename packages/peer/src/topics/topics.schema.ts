import { z } from 'zod';

export const topicNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'a topic is 1 to 64 letters, digits, ., _ and -');
export const publishRequestSchema = z.object({ payload: z.unknown() }).strict();
export const publishedSchema = z.object({ v: z.literal(1), topic: z.string(), sentMs: z.number() });
/** One server-sent event of `GET /api/v1/topics/:topic`. */
export const topicMessageSchema = z.object({
  topic: z.string(),
  from: z.string(),
  fromName: z.string(),
  payload: z.unknown(),
  sentMs: z.number(),
});
export type PublishedView = z.infer<typeof publishedSchema>;
export type TopicMessageView = z.infer<typeof topicMessageSchema>;
