import { z } from 'zod';
import { limits } from '../limits.ts';
import { stopText } from './stop-text.ts';

const model = z.string().min(1).max(limits.apiModelNameCharsMax);
const options = z
  .object({
    /** Below 1: no limit of the caller's. */
    num_predict: z.number().int().nullish(),
    temperature: z.number().min(0).max(5).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    seed: z.number().int().nullish(),
    stop: z.union([stopText, z.array(stopText).max(limits.stopTextsMax)]).nullish(),
  })
  .nullish();
const shared = {
  model,
  options,
  /** Absent means true. */
  stream: z.boolean().nullish(),
  format: z.unknown().optional(),
  think: z.union([z.boolean(), z.string()]).nullish(),
  keep_alive: z.unknown().optional(),
};
const images = z.array(z.unknown()).nullish();

/** Keys that are not named here are accepted and have no effect. */
export const chatSchema = z.object({
  ...shared,
  messages: z
    .array(
      z.object({
        role: z.enum(['system', 'user', 'assistant', 'tool']),
        content: z.string().nullish(),
        images,
        tool_calls: z.array(z.unknown()).nullish(),
      }),
    )
    .max(limits.promptMessagesMax)
    .nullish(),
  tools: z.array(z.unknown()).nullish(),
});
export const generateSchema = z.object({
  ...shared,
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  suffix: z.string().nullish(),
  images,
});
/** Older clients say `name`. */
export const showSchema = z
  .object({ model: model.nullish(), name: model.nullish() })
  .transform((body) => ({ model: body.model ?? body.name ?? '' }))
  .refine((body) => body.model !== '', { message: 'model is required', path: ['model'] });
export const embedSchema = z.object({
  model,
  input: z.union([z.string(), z.array(z.string()).max(limits.embedTextsMax)]).nullish(),
  dimensions: z.number().int().min(1).nullish(),
});
export const embeddingsSchema = z.object({ model, prompt: z.string().nullish() });
export type ChatBody = z.output<typeof chatSchema>;
export type GenerateBody = z.output<typeof generateSchema>;
