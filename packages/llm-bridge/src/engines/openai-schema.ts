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
        /** LM Studio's own list, and hosted ones: `embeddings`, `embedding`; of another form it says nothing. */
        type: z.string().nullish().catch(undefined),
        /** Infinity: `embed`. */
        capabilities: z.array(z.string()).nullish().catch(undefined),
        /** A llama.cpp server with many models: how it starts this one. */
        status: z
          .object({ args: z.array(z.string()).nullish() })
          .nullish()
          .catch(undefined),
        /** llama.cpp. */
        meta: z
          .object({ n_ctx_train: z.number().int().positive().nullish(), size: z.number().nonnegative().nullish() })
          .nullish(),
      }),
    )
    .max(limits.engineModelsMax),
});
type ListedModel = z.output<typeof modelsSchema>['data'][number];

/** Whether the server says that a model is made for embeddings; undefined where it says nothing of it. */
export function saysForEmbeddings({ type, capabilities, status }: ListedModel): boolean | undefined {
  if (status?.args?.some((arg) => arg === '--embeddings' || arg === '--embedding') === true) return true;
  if (capabilities !== undefined && capabilities !== null) return capabilities.some((one) => embeddingWord.test(one));
  if (embeddingWord.test(type ?? '')) return true;
  return answerTypes.has(type ?? '') ? false : undefined;
}

const embeddingWord = /^embed(?:ding|dings)?$/u;
const answerTypes: ReadonlySet<string> = new Set(['llm', 'vlm', 'chat']);

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
