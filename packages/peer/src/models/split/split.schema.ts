import { z } from 'zod';
import { modelLimits } from '../limits.ts';

const device = z.string().min(1).max(128);
/** Body of `POST /models/splits`. */
export const splitRequestSchema = z.strictObject({
  /** A language model whose weights are here. */
  model: z.string().min(1).max(100),
  /** Names or ids of paired devices, or `self`: a stage for each, in this order. */
  over: z.array(device).min(1).max(modelLimits.splitStagesMax),
  /** Who takes the place of one that is lost, the first one first; this peer itself unless said. */
  spares: z.array(device).max(modelLimits.splitStagesMax).default(['self']),
  /** What it is called; the model’s name and `:split` unless said. */
  name: z.string().min(1).max(modelLimits.importedNameCharsMax).optional(),
  /** How states travel: `int8` is a quarter of the bytes and not quite the same answer. */
  activations: z.enum(['float32', 'int8']).default('float32'),
});
export type SplitRequest = z.input<typeof splitRequestSchema>;

const memberSchema = z.object({ peerId: z.string(), name: z.string(), self: z.boolean() });
const splitStageSchema = z.object({
  /** 0 for the first. */
  index: z.number(),
  /** Layers of the model, the first one 0: `from` to before `to`. */
  from: z.number(),
  to: z.number(),
  parameters: z.number(),
  /** SHA-256 of its weights, hex. */
  sha256: z.string(),
  /** Who computes it now; null while nobody was asked yet, or nobody is left. */
  holder: memberSchema.nullable(),
  /** Who was meant to, then the spares. */
  places: z.array(memberSchema),
  /** Who was lost last, and with which code. */
  lost: memberSchema.extend({ code: z.string() }).nullable(),
});
export const splitSchema = z.object({
  name: z.string(),
  model: z.string(),
  activations: z.enum(['float32', 'int8']),
  createdMs: z.number(),
  /** `open`: its stages are loaded. `resting`: they are loaded at the next question. */
  state: z.enum(['open', 'resting']),
  /** Answers since this peer started. */
  answers: z.number(),
  stages: z.array(splitStageSchema),
});
export type SplitView = z.output<typeof splitSchema>;
export const splitsSchema = z.object({ v: z.literal(1), splits: z.array(splitSchema) });
export type SplitsView = z.output<typeof splitsSchema>;
