import { z } from 'zod';

/** What a peer says of itself with each heartbeat. */
export const statusReportSchema = z.object({
  state: z.enum(['ready', 'busy']),
  /** When it started; its sequence begins anew then. */
  startedMs: z.number(),
  /** Rises by one with each report. */
  sequence: z.number(),
  answering: z.number(),
  waiting: z.number(),
  tasksRunning: z.number(),
  tasksWaiting: z.number(),
});

/** What a peer can do, in the peer protocol's words and ours. */
export const capabilitiesSchema = z.object({
  v: z.literal(1),
  peerId: z.string(),
  name: z.string(),
  /** Empty when it does not say. */
  agent: z.string(),
  /** Newest first. */
  protocolVersions: z.array(z.string()),
  messageTypes: z.array(z.string()),
  /** Names of what it signs and seals with. */
  crypto: z.array(z.string()),
  endpoints: z.array(z.string()),
  models: z.array(z.string()),
  /** Types of tasks it does. */
  taskTypes: z.array(z.string()),
  /** Operators, by their ONNX names, of the networks that its engine computes. */
  operators: z.array(z.string()),
  /** Where its owner says it is. */
  region: z.string().optional(),
  /** When it said so. */
  askedMs: z.number(),
});

export const wakeRequestSchema = z
  .object({ model: z.string().min(1).max(256).optional(), reason: z.string().max(200).optional() })
  .strict();
export const wakeSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  /** `queued`: the peer has not answered yet; it is told when it is there. */
  status: z.enum(['success', 'already_awake', 'failed', 'rate_limited', 'queued', 'refused']),
  reason: z.string(),
});
export type StatusReport = z.infer<typeof statusReportSchema>;
export type CapabilitiesView = z.infer<typeof capabilitiesSchema>;
export type WakeView = z.infer<typeof wakeSchema>;
