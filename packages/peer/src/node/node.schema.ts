import { z } from 'zod';

/** Four emoji and words for people, made from the public key. */
export const fingerprintSchema = z.object({
  emoji: z.array(z.string()),
  words: z.array(z.string()),
  hex: z.string(),
});

export const engineFindingSchema = z.object({
  kind: z.string(),
  url: z.string().optional(),
  state: z.enum(['found', 'absent', 'refused']),
  /** One sentence: what answered there, or why it was not taken. */
  detail: z.string(),
  models: z.array(z.string()),
});

export const nodeSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  peerId: z.string(),
  fingerprint: fingerprintSchema,
  version: z.string(),
  startedMs: z.number(),
  home: z.string(),
  /** Base URL of the local API, the gateway and the dashboard. */
  api: z.string(),
  addresses: z.array(z.string()),
  relays: z.array(
    z.object({ address: z.string(), peerId: z.string().optional(), state: z.enum(['connected', 'unreachable']) }),
  ),
  /** `lan`: no relay is known, links work on this network only. */
  reach: z.enum(['relay', 'lan', 'machine']),
  engines: z.array(engineFindingSchema),
  /** Where a guest's page lives, when one is known. */
  pageUrl: z.string().optional(),
  /** Answers being given now, waiting ones, and how many may run at once. */
  answering: z.object({ active: z.number(), queued: z.number(), concurrentMax: z.number() }),
});
export type NodeView = z.infer<typeof nodeSchema>;
export type Fingerprint = z.infer<typeof fingerprintSchema>;
export type EngineFinding = z.infer<typeof engineFindingSchema>;
