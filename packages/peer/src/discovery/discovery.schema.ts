import { z } from 'zod';

/** What a peer's signed record says may be told: where it is, which models it offers, what it is called. */
export const toldFields = ['addresses', 'models', 'name'] as const;
export type ToldField = (typeof toldFields)[number];

export const findRequestSchema = z
  .object({ model: z.string().min(1).max(128).optional(), peer: z.string().min(1).max(128).optional() })
  .strict()
  .refine(({ model, peer }) => (model === undefined) !== (peer === undefined), 'say model or peer');
export type FindRequest = z.infer<typeof findRequestSchema>;

export const foundPeerSchema = z.object({
  peerId: z.string(),
  /** Claimed by the peer, proven by nobody. */
  name: z.string(),
  models: z.array(z.string()),
  agent: z.string(),
  addresses: z.array(z.string()),
  expiresMs: z.number(),
  /** One of this peer's devices. */
  paired: z.boolean(),
});
export const foundSchema = z.object({ v: z.literal(1), peers: z.array(foundPeerSchema) });
export const crawledPeerSchema = z.object({
  peerId: z.string(),
  agent: z.string(),
  addresses: z.array(z.string()),
  state: z.enum(['reachable', 'unreachable', 'untried']),
  via: z.enum(['link', 'record', 'dht']),
  told: z.number(),
  paired: z.boolean(),
});
export const crawlSchema = z.object({ v: z.literal(1), peers: z.array(crawledPeerSchema) });
export type FoundPeer = z.infer<typeof foundPeerSchema>;
export type FoundView = z.infer<typeof foundSchema>;
export type CrawlView = z.infer<typeof crawlSchema>;
