import { limits as coreLimits } from '@peerai/core-protocol';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { chatRequestSchema } from '../chat/chat.schema.ts';
import {
  clusterLessonSchema,
  clusterQuestionSchema,
  clusterRequestSchema,
  clusterStepsSchema,
} from '../clusters/clusters.schema.ts';
import { clusterLimits } from '../clusters/limits.ts';
import { rotateRequestSchema } from '../keys/keys.schema.ts';
import { limits } from '../limits.ts';
import { metricsLimits } from '../metrics/limits.ts';
import { metricsWatchSchema } from '../metrics/metrics.schema.ts';

const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const x = (count: number): string => 'x'.repeat(count);
const example = { input: [1], label: 0 };
const said = { role: 'user', text: 'hello' };
const chat = { model: 'm', messages: [said] };
const cluster = { name: 'c' };

/** What people and programs send to the local API, where a schema alone says how much. */
const bounded: readonly [name: string, most: number, schema: z.ZodType, at: (value: number) => object][] = [
  ['clusterNameCharsMax', clusterLimits.clusterNameCharsMax, clusterRequestSchema, (value) => ({ name: x(value) })],
  ['clusterNodesMax', clusterLimits.clusterNodesMax, clusterRequestSchema, (nodes) => ({ ...cluster, nodes })],
  ['clusterNodesMax', clusterLimits.clusterNodesMax, clusterRequestSchema, (nodesMax) => ({ ...cluster, nodesMax })],
  ['clusterInputsMax', clusterLimits.clusterInputsMax, clusterRequestSchema, (inputs) => ({ ...cluster, inputs })],
  ['clusterOutputsMax', clusterLimits.clusterOutputsMax, clusterRequestSchema, (outputs) => ({ ...cluster, outputs })],
  ['clusterInputsMax', clusterLimits.clusterInputsMax, clusterQuestionSchema, (value) => ({ input: many(value, 1) })],
  ['clusterValueMax', clusterLimits.clusterValueMax, clusterQuestionSchema, (value) => ({ input: [value] })],
  ['clusterValueMax', clusterLimits.clusterValueMax, clusterQuestionSchema, (value) => ({ input: [-value] })],
  ['clusterStepsMax', clusterLimits.clusterStepsMax, clusterStepsSchema, (value) => ({ inputs: many(value, [1]) })],
  ['clusterPauseMsMax', clusterLimits.clusterPauseMsMax, clusterStepsSchema, (everyMs) => ({ inputs: [[1]], everyMs })],
  [
    'clusterOutputsMax',
    clusterLimits.clusterOutputsMax,
    clusterLessonSchema,
    (value) => ({ examples: [{ ...example, label: value - 1 }] }),
  ],
  [
    'clusterExamplesMax',
    clusterLimits.clusterExamplesMax,
    clusterLessonSchema,
    (value) => ({ examples: many(value, example) }),
  ],
  [
    'clusterPassesMax',
    clusterLimits.clusterPassesMax,
    clusterLessonSchema,
    (passes) => ({ examples: [example], passes }),
  ],
  ['metricsWatchMsMax', metricsLimits.metricsWatchMsMax, metricsWatchSchema, (forMs) => ({ forMs })],
  ['keyGraceMsMax', coreLimits.keyGraceMsMax, rotateRequestSchema, (graceMs) => ({ graceMs })],
  ['chatModelCharsMax', limits.chatModelCharsMax, chatRequestSchema, (value) => ({ ...chat, model: x(value) })],
  [
    'chatTextCharsMax',
    limits.chatTextCharsMax,
    chatRequestSchema,
    (value) => ({ ...chat, messages: [{ ...said, text: x(value) }] }),
  ],
  ['chatMessagesMax', limits.chatMessagesMax, chatRequestSchema, (value) => ({ ...chat, messages: many(value, said) })],
  ['chatTokensMax', limits.chatTokensMax, chatRequestSchema, (maxTokens) => ({ ...chat, maxTokens })],
  ['recallNotesMax', limits.recallNotesMax, chatRequestSchema, (notes) => ({ ...chat, memory: { notes } })],
  [
    'memoryTagsMax',
    limits.memoryTagsMax,
    chatRequestSchema,
    (value) => ({ ...chat, memory: { tags: many(value, 't') } }),
  ],
  [
    'memoryTagCharsMax',
    limits.memoryTagCharsMax,
    chatRequestSchema,
    (value) => ({ ...chat, memory: { tags: [x(value)] } }),
  ],
];
test.each(bounded)('%s holds at %d', (_, most, schema, at) => {
  const taken = (value: number) => schema.safeParse(at(value)).success;
  expect([taken(most), taken(most + 1)]).toEqual([true, false]);
});

test('state metrics are watched for `metricsWatchMs` unless said', () => {
  expect(metricsWatchSchema.parse({})).toEqual({ forMs: metricsLimits.metricsWatchMs });
});
