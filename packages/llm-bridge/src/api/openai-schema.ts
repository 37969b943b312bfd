import { z } from 'zod';
import { limits } from '../limits.ts';
import { stopText } from './stop-text.ts';

const model = z.string().min(1).max(limits.apiModelNameCharsMax);
const textPart = z.object({ type: z.literal('text'), text: z.string() });
const otherPart = z.object({ type: z.string() });
const sampling = {
  max_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([stopText, z.array(stopText).max(limits.stopTextsMax)]).nullish(),
  n: z.number().int().min(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
};

/** Keys that are not named here are accepted and have no effect. */
export const chatSchema = z.object({
  model,
  messages: z
    .array(
      z.object({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: z
          .union([z.string(), z.array(z.union([textPart, otherPart])).max(limits.apiContentPartsMax)])
          .nullish(),
        tool_calls: z.array(z.unknown()).nullish(),
      }),
    )
    .min(1)
    .max(limits.promptMessagesMax),
  ...sampling,
  max_completion_tokens: z.number().int().min(1).nullish(),
  tools: z.array(z.unknown()).nullish(),
  functions: z.array(z.unknown()).nullish(),
  logprobs: z.boolean().nullish(),
  response_format: z.object({ type: z.string() }).nullish(),
});
export const completionSchema = z.object({
  model,
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(limits.apiPromptsMax)]),
  ...sampling,
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.number().int().nullish(),
});
export const embeddingSchema = z.object({
  model,
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(limits.embedTextsMax)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.number().int().min(1).nullish(),
});
export type ChatBody = z.output<typeof chatSchema>;
export type CompletionBody = z.output<typeof completionSchema>;
