import { z } from 'zod';
import { metricsLimits } from './limits.ts';

/** Heuristics by the formulas of docs/state-metrics.md; null where data is missing. */
const numbersSchema = z.object({
  phi: z.number().nullable(),
  coherence: z.number().nullable(),
  entropy: z.number().nullable(),
  valence: z.number().nullable(),
  arousal: z.number().nullable(),
  empathy: z.number().nullable(),
  insight: z.number().nullable(),
});
export type MetricNumbers = z.output<typeof numbersSchema>;

/** Body of `POST /metrics/watch`. */
export const metricsWatchSchema = z.strictObject({
  /** For so long devices are asked for their states, milliseconds. */
  forMs: z.int().min(1).max(metricsLimits.metricsWatchMsMax).default(metricsLimits.metricsWatchMs),
});
export type MetricsWatch = z.input<typeof metricsWatchSchema>;

const stateSchema = z.object({
  peerId: z.string(),
  name: z.string(),
  /** The peer's clock when it was so. */
  timeMs: z.number(),
  metrics: numbersSchema,
});
const ruleSchema = z.object({
  metric: z.string(),
  when: z.enum(['above', 'below']),
  threshold: z.number(),
  hysteresis: z.number(),
});
export const stateMetricsSchema = z.object({
  v: z.literal(1),
  /** This peer's last state; null while it has no cluster. */
  own: stateSchema.nullable(),
  /** Signed states of other peers that are new, valid and not stale. */
  others: z.array(stateSchema),
  /** Mean of all those states, by metric, each weighed by its peer's reputation; this peer's own weighs 1. */
  collective: z.object({ metrics: numbersSchema, peers: z.number(), weights: z.literal('reputation') }),
  alerts: z.array(ruleSchema.extend({ raised: z.boolean() })),
  /** Peers that are sent this one's state now. */
  subscribers: z.number(),
  /** Until when others are asked for theirs; null: not now. */
  watchedUntilMs: z.number().nullable(),
});
export type StateMetricsView = z.output<typeof stateMetricsSchema>;
export type MetricAlert = z.output<typeof ruleSchema>;
