import { z } from 'zod';
import { limits } from '../limits.ts';

const count = z.number().nullish();

/** Replies of OpenAI-compatible servers and of llama.cpp's own endpoints; keys that are not named here do not matter. */
export const modelsSchema = z.object({
  data: z
    .array(
      z.object({
        id: z.string().min(1),
        owned_by: z.string().nullish(),
        /** vLLM. */
        max_model_len: z.number().int().positive().nullish(),
        /** llama.cpp. */
        meta: z
          .object({ n_ctx_train: z.number().int().positive().nullish(), size: z.number().nonnegative().nullish() })
          .nullish(),
      }),
    )
    .max(limits.engineModelsMax),
});
export const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish(),
});
export const completionSchema = z.object({
  content: z.string().default(''),
  stop: z.boolean().default(false),
  tokens_predicted: count,
  tokens_evaluated: count,
  /** Until 2024, then `stop_type`. */
  stopped_limit: z.boolean().nullish(),
  stop_type: z.string().nullish(),
});
export const embeddingsSchema = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative().optional(), embedding: z.array(z.number()) })),
});
export const propsSchema = z.object({
  default_generation_settings: z.object({ n_ctx: z.number().int().positive().optional() }),
  model_path: z.string().optional(),
});
