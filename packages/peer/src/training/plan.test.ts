import { utf8 } from '@peerai/core-protocol';
import { diLoCo, localSgd, shortNesterov } from '@peerai/nn-engine/rounds';
import { expect, test } from 'vitest';
import { decodePlan, specOf, termsOf } from './plan.ts';
import { trainingRequestSchema } from './training.schema.ts';

const agreed = { task: new Uint8Array(32), size: 4, invited: undefined, noise: undefined };
const specWith = (more: object) =>
  specOf(
    trainingRequestSchema.parse({ name: 'circle', data: 'a.csv', model: { kind: 'mlp', label: 'inside' }, ...more }),
    agreed,
  );

test('A run takes the step from round to round that was asked for, and says it by the same name', () => {
  expect(specWith({}).outer).toEqual(localSgd);
  for (const [outer, step] of Object.entries({ 'local-sgd': localSgd, nesterov: shortNesterov, diloco: diLoCo })) {
    const spec = specWith({ outer });
    expect(spec.outer).toEqual(step);
    expect(termsOf(spec).outer).toBe(outer);
  }
});

test('Updates are packed as was asked for, and said to be by the same name', () => {
  for (const [compression, bits] of Object.entries({ int8: 8, int4: 4, sparse: 1 })) {
    const spec = specWith({ compression });
    expect(spec.bits).toBe(bits);
    expect(termsOf(spec).compression).toBe(compression);
  }
  expect(specWith({}).bits).toBe(8);
});

test('Momentum that another device chose is called by what it is nearer to', () => {
  const named = (momentum: number) => termsOf({ ...specWith({}), outer: { learningRate: 1, momentum } }).outer;
  expect([0, 0.01, 0.69, 0.7, 0.99].map(named)).toEqual(['local-sgd', 'nesterov', 'nesterov', 'diloco', 'diloco']);
});

test('A plan names the one schedule there is besides a rate that stays, or none', () => {
  const language = { v: 1, model: 'language', size: 'small', learningRate: 0.01, seed: 1 };
  const read = (more: object) => decodePlan(utf8(JSON.stringify({ ...language, ...more })));
  expect(read({})).toEqual(language);
  expect(read({ schedule: 'cosine' })).toEqual({ ...language, schedule: 'cosine' });
  for (const schedule of ['constant', 'linear', 1, null])
    expect(() => read({ schedule })).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
});
