import { z } from 'zod';

export const modelSchema = z.object({
  /** The gateway's name: `mistral` for ours, `mistral@study-pc` for a peer's. */
  name: z.string(),
  model: z.string(),
  peerId: z.string(),
  peerName: z.string(),
  local: z.boolean(),
  engine: z.string(),
  contextTokensMax: z.number(),
  memoryBytes: z.number(),
  loaded: z.boolean(),
  fits: z.boolean(),
  embeds: z.boolean(),
  /** Offered to paired devices that may chat; only for our own. */
  exposed: z.boolean(),
  path: z.enum(['local', 'direct', 'relayed', 'offline']),
  description: z.string(),
});
export const modelsSchema = z.object({ v: z.literal(1), models: z.array(modelSchema), defaultModel: z.string() });
export const modelPatchSchema = z.object({ exposed: z.boolean() }).strict();
export type ModelView = z.infer<typeof modelSchema>;
export type ModelsView = z.infer<typeof modelsSchema>;
