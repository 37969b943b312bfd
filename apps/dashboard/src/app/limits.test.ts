import {
  chatRequestSchema,
  clusterLessonSchema,
  clusterQuestionSchema,
  clusterRequestSchema,
  clusterStepsSchema,
  governanceProposeSchema,
  memoryAddSchema,
  memoryListQuestionSchema,
  memorySearchSchema,
  metricsWatchSchema,
  splitRequestSchema,
  trainingLinkRequestSchema,
} from '@peerai/peer/schemas';
import { describe, expect, test } from 'vitest';
import { limits as guestLimits } from '../guest/limits.ts';
import { type Turn, toMessages } from '../shared/turns.ts';
import { limits } from './limits.ts';

type Schema = { safeParse(value: unknown): { readonly success: boolean } };
const x = (count: number): string => 'x'.repeat(count);
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const example = { input: [1], label: 0 };
const proposal = { title: 't', action: { type: 'text' } };
const split = { model: 'nano', over: ['self'] };

describe('What a form takes, the local API takes, and it refuses one more', () => {
  test.each<readonly [name: keyof typeof limits, schema: Schema, at: (value: number) => object]>([
    ['memoryTextCharsMax', memoryAddSchema, (value) => ({ text: x(value) })],
    ['memoryQuestionCharsMax', memorySearchSchema, (value) => ({ text: x(value) })],
    ['proposalTitleCharsMax', governanceProposeSchema, (value) => ({ ...proposal, title: x(value) })],
    ['proposalTextCharsMax', governanceProposeSchema, (value) => ({ ...proposal, text: x(value) })],
    [
      'proposalReasonCharsMax',
      governanceProposeSchema,
      (value) => ({ ...proposal, action: { type: 'blacklist-add', peer: 'p', reason: x(value) } }),
    ],
    [
      'checkpointNameCharsMax',
      governanceProposeSchema,
      (value) => ({ ...proposal, action: { type: 'checkpoint', name: x(value), sha256: 'ab'.repeat(32) } }),
    ],
    ['trainingVisitorsMax', trainingLinkRequestSchema, (visitors) => ({ visitors })],
    ['clusterNodesMax', clusterRequestSchema, (nodes) => ({ name: 'c', nodes })],
    ['clusterInputsMax', clusterRequestSchema, (inputs) => ({ name: 'c', inputs })],
    ['clusterInputsMax', clusterQuestionSchema, (value) => ({ input: many(value, 1) })],
    ['clusterOutputsMax', clusterRequestSchema, (outputs) => ({ name: 'c', outputs })],
    ['clusterPassesMax', clusterLessonSchema, (passes) => ({ examples: [example], passes })],
    ['modelNameCharsMax', splitRequestSchema, (value) => ({ ...split, name: x(value) })],
    ['splitStagesMax', splitRequestSchema, (value) => ({ ...split, over: many(value, 'a') })],
  ])('%s', (name, schema, at) => {
    const most = limits[name] as number;
    const taken = (value: number) => schema.safeParse(at(value)).success;
    expect([taken(most), taken(most + 1)]).toEqual([true, false]);
  });
});

test('What pages ask for by themselves, the local API takes', () => {
  const asked: readonly (readonly [Schema, object])[] = [
    [memoryListQuestionSchema, { limit: limits.memoryPage }],
    [memorySearchSchema, { text: 'x', limit: limits.memoryHitsShown }],
    [metricsWatchSchema, { forMs: limits.metricsWatchMs }],
    [clusterStepsSchema, { inputs: many(limits.clusterStepsMax, [1]), everyMs: limits.clusterPauseMs }],
  ];
  for (const [schema, body] of asked) expect(schema.safeParse(body).success).toBe(true);
});

describe.each([
  ['the owner', limits],
  ['a guest', guestLimits],
])('The longest conversation of %s', (_, bounds) => {
  const question = (letters: string): Turn => ({ role: 'user', text: letters.repeat(bounds.messageCharsMax) });

  test.each(['x', '漢', '"'])('of %s alone fits one request', (letter) => {
    const messages = toMessages(many(bounds.turnsMax + 1, question(letter)), bounds);
    expect(chatRequestSchema.safeParse({ model: 'm', messages }).success).toBe(true);
    // 786,432 bytes of JSON are what one request to a model elsewhere carries.
    expect(new TextEncoder().encode(JSON.stringify(messages)).length).toBeLessThan(786_432);
    expect(messages.length).toBeGreaterThan(1);
  });

  test('has `turnsMax` turns', () => {
    const short: Turn = { role: 'user', text: 'x' };
    expect(toMessages(many(bounds.turnsMax, short), bounds)).toHaveLength(bounds.turnsMax);
    expect(toMessages(many(bounds.turnsMax + 1, short), bounds)).toHaveLength(bounds.turnsMax);
  });
});
