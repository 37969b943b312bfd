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
  .object({ to: z.string().min(1), kind: z.string().min(1).max(64).default('text'), payload: z.unknown() })
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
export type MessageView = z.infer<typeof messageSchema>;
export type DeliveryView = z.infer<typeof deliverySchema>;
