import { type Method, wire } from '@peerai/core-protocol';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { modelRunRequestSchema, modelRunSchema, offeredRunSchema } from './imported.schema.ts';
import { modelLimits } from './limits.ts';

const questionSchema = z.object({
  requestId: z.string().min(1).max(modelLimits.runIdCharsMax),
  model: z.string().max(modelLimits.importedNameCharsMax),
  inputs: modelRunRequestSchema.shape.inputs,
});
const answerSchema = modelRunSchema.extend({ receipt: z.string().max(modelLimits.runReceiptCharsMax) });
export type RunQuestion = z.output<typeof questionSchema>;
export type RunAnswer = z.output<typeof answerSchema>;

/** What two peers that have dealings ask each other, as JSON. */
const granted = (id: string, messageBytesMax: number, channelsPerPeerMax: number) =>
  ({ id, access: 'granted', framing: 'messages', messageBytesMax, channelsPerPeerMax }) as const;

/** `/peerai/infer/1`: one run of a model file, in the JSON of `POST /models/:name/run`, with the runner's half of the receipt. */
export const inferMethod: Method<RunQuestion, RunAnswer> = {
  protocol: {
    ...granted('/peerai/infer/1', modelLimits.askedRunBytesMax, modelLimits.askedRunsPerPeerMax),
    priority: 'low',
  },
  request: wire.jsonCodec((value) => questionSchema.parse(value)),
  response: wire.jsonCodec((value) => answerSchema.parse(value)),
  timeoutMs: modelLimits.askedRunMs,
};

const toldSchema = z.object({ models: z.array(offeredRunSchema).max(modelLimits.importedModelsMax) });
export type RunsTold = z.output<typeof toldSchema>;

/** `/peerai/infer-models/1`: which model files that take numbers may I run? */
export const offeredMethod: Method<object, RunsTold> = {
  protocol: granted('/peerai/infer-models/1', modelLimits.offeredBytesMax, 2),
  request: wire.jsonCodec((value) => z.object({}).parse(value)),
  response: wire.jsonCodec((value) => toldSchema.parse(value)),
  timeoutMs: limits.questionMs,
};
