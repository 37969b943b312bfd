import { z } from 'zod';
import { modelLimits } from './limits.ts';

const valueSchema = z.object({
  name: z.string(),
  /** `float16` and `bool` are given and taken as float32 and as uint8 of 0 and 1. */
  type: z.enum(['float32', 'float16', 'int64', 'int32', 'uint8', 'bool']),
  /** A name or `?` where a size is open. */
  shape: z.array(z.union([z.number(), z.string()])),
});
/** A model file that was brought here, by the name it was given. */
export const importedModelSchema = z.object({
  name: z.string(),
  /** Of the file: the same file is the same model. */
  sha256: z.string(),
  bytes: z.number(),
  importedMs: z.number(),
  /** Who wrote the file, as it says itself. */
  producer: z.string(),
  nodes: z.number(),
  operators: z.array(z.string()),
  inputs: z.array(valueSchema),
  outputs: z.array(valueSchema),
  /** What it takes texts for once it has a tokenizer; absent for one that takes no tokens. */
  texts: z.enum(['language', 'embedding']).optional(),
  /** Once it has a tokenizer: it makes vectors of texts, with so many numbers each. */
  embedding: z.object({ tokenizer: z.string(), dimensions: z.number() }).optional(),
  /** Once it has its text files: it answers. */
  language: z
    .object({
      tokenizer: z.string(),
      /** Of prompt and answer together. */
      contextTokens: z.number(),
      /** Without a chat template it goes on with what was said. */
      hasTemplate: z.boolean(),
    })
    .optional(),
  /** A process has it in memory now. */
  loaded: z.boolean(),
  /** Its owner offers it by name: paired devices that may chat may run it. */
  exposed: z.boolean().optional(),
});
export const importedModelsSchema = z.object({ v: z.literal(1), models: z.array(importedModelSchema) });
/** Each input by its name: numbers in lists inside each other, or `{ "shape": […], "data": […] }`. */
export const modelRunRequestSchema = z.object({ inputs: z.record(z.string(), z.unknown()) }).strict();
export const modelRunSchema = z.object({
  v: z.literal(1),
  model: z.string(),
  outputs: z.record(
    z.string(),
    z.object({
      type: z.enum(['float32', 'int64', 'int32', 'uint8']),
      shape: z.array(z.number()),
      /** Row by row; text where JSON has no number for it: `NaN`, `Infinity`, whole numbers above 2^53. */
      data: z.array(z.union([z.number(), z.string()])),
    }),
  ),
  tookMs: z.number(),
  /** Of a run on another device: the numbers that went in and came out, and whether this peer signed for them. */
  usage: z.object({ promptTokens: z.number(), answerTokens: z.number(), signed: z.boolean() }).optional(),
});

/** Names come from other devices and go to screens. */
const screenName = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .regex(/^[^\p{C}]+$/u);
const toldValueSchema = valueSchema.extend({
  name: screenName(modelLimits.offeredNameCharsMax),
  shape: z.array(z.union([z.number(), screenName(modelLimits.offeredNameCharsMax)])).max(modelLimits.modelRankMax),
});
const toldValuesSchema = z.array(toldValueSchema).max(modelLimits.offeredValuesMax);
/** A model file that takes numbers, as the device says that lets this one run it. */
export const offeredRunSchema = z.object({
  name: screenName(modelLimits.importedNameCharsMax),
  bytes: z.number(),
  inputs: toldValuesSchema,
  outputs: toldValuesSchema,
});
/** `name@peerName` runs it. */
export const offeredRunsSchema = z.object({
  v: z.literal(1),
  models: z.array(offeredRunSchema.extend({ peerId: z.string(), peerName: z.string() })),
});
export const offeredRunsQuestionSchema = z.object({ at: z.string().min(1).max(128).optional() });
export type ImportedModelView = z.infer<typeof importedModelSchema>;
export type ImportedModelsView = z.infer<typeof importedModelsSchema>;
export type OfferedRunsView = z.infer<typeof offeredRunsSchema>;
export type OfferedRunView = OfferedRunsView['models'][number];
export type ModelRunRequest = z.infer<typeof modelRunRequestSchema>;
export type ModelRunView = z.infer<typeof modelRunSchema>;
