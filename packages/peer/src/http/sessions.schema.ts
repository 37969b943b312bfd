import { z } from 'zod';

export const handshakeRequestSchema = z.object({
  /** Six steps instead of three. */
  six: z.boolean().default(false),
});
export const peerSessionSchema = z.object({
  /** UUID v4. */
  id: z.string(),
  peerId: z.string(),
  name: z.string(),
  /** `initiator`: we began it. */
  role: z.enum(['initiator', 'responder']),
  suite: z.string(),
  expiresMs: z.number(),
});
export const peerSessionsSchema = z.object({ v: z.literal(1), sessions: z.array(peerSessionSchema) });
export const handshakeSchema = peerSessionSchema.extend({
  v: z.literal(1),
  state: z.literal('established'),
  steps: z.union([z.literal(3), z.literal(6)]),
  /** The id as the other side says it, inside the session. */
  theirId: z.string(),
});
export type PeerSessionView = z.output<typeof peerSessionSchema>;
export type HandshakeView = z.output<typeof handshakeSchema>;
