import { PeerAiError, utf8 } from '@peerai/core-protocol';
import { nodeCrypto as crypto } from '@peerai/core-protocol/crypto-node';
import { mutated, seededRandom } from '@peerai/core-protocol/testing';
import { checkRun, decodeRun, encodeRun } from '@peerai/nn-engine/rounds';
import { threadMs } from '@peerai/config/thread-time';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { decodePlan, encodePlan, specOf, taskOf, termsOf } from './plan.ts';
import { sizeOfPlan, weightsOfPlan } from './task.ts';
import { linkMethod } from './link-protocol.ts';
import { offersMethod } from './training-protocol.ts';
import { type TrainingPlan, trainingRequestSchema } from './training.schema.ts';

/** Ten thousand each; the slowest may take 50 ms on a quiet machine, and this test says no only at five times that. */
const mutationsEach = 10_000;
const slowestMsMax = 250;
const random = seededRandom(72);

const plan: TrainingPlan = {
  v: 1,
  model: 'mlp',
  features: ['x', 'y'],
  label: 'sign',
  classes: ['other', 'same'],
  hidden: [16],
  means: [0.5, -0.25],
  deviations: [1, 2],
  learningRate: 0.02,
  seed: 1,
};
const wish = trainingRequestSchema.parse({ name: 'signs', data: '00', model: { kind: 'mlp', label: 'sign' } });
const planBytes = encodePlan(plan);
const run = checkRun(
  crypto,
  specOf(wish, { task: taskOf(crypto, planBytes), size: sizeOfPlan(plan), invited: undefined, noise: undefined }),
);
const offer = { terms: encodeRun(run), plan: planBytes, round: 3, members: 2 };

/** What a device's answer comes to before anything is done with it. */
function understood(bytes: Uint8Array) {
  const { offers } = offersMethod.response.decode(bytes);
  return offers.map(({ terms, plan: said }) => {
    const known = decodeRun(crypto, terms);
    return [termsOf(known), sizeOfPlan(decodePlan(said))];
  });
}

const decoders: Record<string, { readonly valid: Uint8Array; readonly decode: (bytes: Uint8Array) => unknown }> = {
  'question for offers': {
    valid: offersMethod.request.encode({ version: 1 }),
    decode: (bytes) => offersMethod.request.decode(bytes),
  },
  offers: { valid: offersMethod.response.encode({ offers: [offer] }), decode: understood },
  'question of a visitor': {
    valid: linkMethod.request.encode({ version: 1, grant: new Uint8Array(60).fill(7) }),
    decode: (bytes) => linkMethod.request.decode(bytes),
  },
  'answer to a visitor': {
    valid: linkMethod.response.encode({
      ...offer,
      expiresMs: 1_750_000_000_000,
      shard: { name: 'spare.csv', sha256: new Uint8Array(32), bytes: 900 },
    }),
    decode: (bytes) => linkMethod.response.decode(bytes),
  },
  plan: { valid: planBytes, decode: (bytes) => weightsOfPlan(decodePlan(bytes)).length },
};

test('what is valid is read', () => {
  expect(understood(offersMethod.response.encode({ offers: [offer] }))).toMatchObject([
    [{ compression: 'int8', outer: 'local-sgd' }, run.size],
  ]);
  expect(decodePlan(planBytes)).toEqual(plan);
});

test.each(Object.entries(decoders))(
  '%s: 10,000 mutations, nothing but our errors, nothing slow',
  (_, { valid, decode }) => {
    let slowestMs = 0;
    const timed = (input: Uint8Array): number => {
      const startMs = threadMs();
      try {
        decode(input);
      } catch (error) {
        if (!PeerAiError.is(error)) throw error;
      }
      return threadMs() - startMs;
    };
    for (let turn = 0; turn < mutationsEach; turn += 1) {
      const input = mutated(valid, random);
      // A machine that was busy for a moment is asked again.
      if (timed(input) > slowestMsMax) slowestMs = Math.max(slowestMs, timed(input));
    }
    expect(slowestMs).toBeLessThan(slowestMsMax);
  },
  60_000,
);

test.each<[string, object]>([
  ['fewer means than features', { means: [1] }],
  ['a feature twice', { features: ['x', 'x'] }],
  ['the label among the features', { label: 'x' }],
  ['a label twice', { classes: ['same', 'same'] }],
  ['a deviation of nothing', { deviations: [0, 1] }],
  ['a layer above the limit', { hidden: [limits.trainingWidthMax + 1] }],
  ['more layers than the limit', { hidden: Array.from({ length: limits.trainingLayersMax + 1 }, () => 1) }],
  ['another version', { v: 2 }],
])('a plan with %s is not understood', (_, change) => {
  const said = utf8(JSON.stringify({ ...plan, ...change }));
  expect(() => decodePlan(said)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});

test('a plan is as long as the limit says, and no longer', () => {
  const padded = (bytes: number) => utf8(JSON.stringify(plan).padEnd(bytes));
  expect(decodePlan(padded(limits.trainingPlanBytesMax))).toEqual(plan);
  expect(() => decodePlan(padded(limits.trainingPlanBytesMax + 1))).toThrow();
  const long = Array.from({ length: limits.trainingColumnsMax }, (_, index) => `${index}`.padEnd(60, '\u4e00'));
  expect(() => encodePlan({ ...plan, features: long, classes: long })).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
  );
});
