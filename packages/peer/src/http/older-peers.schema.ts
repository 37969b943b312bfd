import { z } from 'zod';

/** A peer of an older implementation, known over HTTP only. */
export const olderPeerSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  /** How it is spoken to; `inbox` is the shared secret's form. */
  profile: z.enum(['pcp/1.0-six', 'pcp/0.1', 'inbox']),
  url: z.string().nullable(),
  peerId: z.string(),
  /** False for one that was believed on first use. */
  named: z.boolean(),
  allow: z.array(z.enum(['tasks'])),
  /** Its last word, or the last message it took, since the start. */
  seenMs: z.number().nullable(),
  /** Why the last message to it did not get there, or what it said was wrong with one, until one gets there: a code. */
  trouble: z.string().nullable(),
});
export const olderPeersSchema = z.object({ v: z.literal(1), peers: z.array(olderPeerSchema) });
export const olderPeerPatchSchema = z.object({ allow: z.array(z.enum(['tasks'])).max(1) }).strict();
export type OlderPeerView = z.output<typeof olderPeerSchema>;
export type OlderPeerPatch = z.output<typeof olderPeerPatchSchema>;
