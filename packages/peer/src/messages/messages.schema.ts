import { z } from 'zod';

export const messageSchema = z.object({
  id: z.string(),
  from: z.string(),
  fromName: z.string(),
  kind: z.string(),
  payload: z.unknown(),
  sentMs: z.number(),
});
export const messagesSchema = z.object({ v: z.literal(1), messages: z.array(messageSchema) });
export const messageRequestSchema = z
  .object({
    to: z.string().min(1),
    kind: z.string().min(1).max(64).default('text'),
    payload: z.unknown(),
    /** What is higher overtakes what waits for the same device. */
    priority: z.enum(['high', 'normal', 'low']).default('normal'),
    /** Answered once it is on the disk, without a wait for "delivered". */
    queue: z.boolean().default(false),
  })
  .strict();
/** `queued`: on our disk, sent when the peer is reachable. */
export const deliverySchema = z.object({
  v: z.literal(1),
  id: z.string(),
  to: z.string(),
  state: z.enum(['queued', 'delivered', 'refused', 'expired']),
  code: z.string().optional(),
  /** What carried it. */
  path: z.enum(['link', 'http', 'mailbox', 'route']).optional(),
});
/** To several, or to every device that is not blocked. */
export const broadcastRequestSchema = z
  .object({
    to: z.union([z.literal('all'), z.array(z.string().min(1)).min(1).max(256)]),
    kind: z.string().min(1).max(64).default('text'),
    payload: z.unknown(),
    queue: z.boolean().default(false),
  })
  .strict();
/** What became of it with each; `refused` with its code also where nothing was sent. */
export const broadcastSchema = z.object({
  v: z.literal(1),
  deliveries: z.array(
    deliverySchema.omit({ v: true, id: true }).extend({ name: z.string(), id: z.string().optional() }),
  ),
});
export type MessageView = z.infer<typeof messageSchema>;
export type DeliveryView = z.infer<typeof deliverySchema>;
export type BroadcastView = z.infer<typeof broadcastSchema>;
