import { MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { describe, expect, it } from 'vitest';

import { clipAndAddNoise, normals } from './noise.ts';
import { openPrivacyBudget, privacyLoss } from './index.ts';

/** The three rows of TensorFlow Privacy's MNIST tutorial: 60,000 examples, batches of 256, δ = 1e-5. */
const published = [
  { noise: 1.3, epochs: 15, epsilon: 1.19, within: 0.005 },
  { noise: 1.1, epochs: 60, epsilon: 3.01, within: 0.005 },
  { noise: 0.7, epochs: 45, epsilon: 7.1, within: 0.01 },
];

describe('the accountant', () => {
  it.each(published)('noise $noise over $epochs epochs costs ε = $epsilon, as published', (row) => {
    const spent = { noise: row.noise, sampleRate: 256 / 60_000, steps: Math.floor((row.epochs * 60_000) / 256) };
    const { epsilon } = privacyLoss([spent], 1e-5, 'mironov');
    expect(Math.abs(epsilon / row.epsilon - 1)).toBeLessThanOrEqual(row.within);
  });

  it('without sampling it is the Gaussian mechanism: order / 2σ² a step', () => {
    // Ten steps at σ = 4: α·10/32 + log1p(−1/α) − (ln δ + ln α)/(α − 1), smallest over whole α.
    const byHand = Array.from({ length: 511 }, (_, index) => index + 2).map(
      (a) => (a * 10) / 32 + Math.log1p(-1 / a) - (Math.log(1e-5) + Math.log(a)) / (a - 1),
    );
    const { epsilon } = privacyLoss([{ noise: 4, sampleRate: 1, steps: 10 }], 1e-5);
    expect(epsilon).toBeCloseTo(Math.min(...byHand), 9);
  });

  it('the newer conversion never gives more than the published one', () => {
    for (const noise of [0.7, 1, 2, 5])
      for (const steps of [1, 100, 10_000]) {
        const spent = [{ noise, sampleRate: 0.01, steps }];
        expect(privacyLoss(spent, 1e-5).epsilon).toBeLessThan(privacyLoss(spent, 1e-5, 'mironov').epsilon);
      }
  });

  it('costs nothing before the first step, more with each, less with more noise', () => {
    const cost = (noise: number, steps: number) => privacyLoss([{ noise, sampleRate: 0.01, steps }], 1e-5).epsilon;
    expect(cost(1, 0)).toBe(0);
    expect(cost(1, 200)).toBeGreaterThan(cost(1, 100));
    expect(cost(2, 100)).toBeLessThan(cost(1, 100));
  });
});

describe('a privacy budget', () => {
  const terms = { epsilonMax: 2, delta: 1e-5 };
  const step = { noise: 4, sampleRate: 1, steps: 1 };

  it('is spent step by step, then refuses, and what was refused is not booked', async () => {
    const budget = openPrivacyBudget(new MemoryStore(), 'notes', terms);
    let taken = 0;
    let refusal: unknown;
    while (refusal === undefined && taken < 100)
      try {
        const { epsilon } = await budget.spend(step);
        expect(epsilon).toBeLessThanOrEqual(2);
        taken += 1;
      } catch (error) {
        refusal = error;
      }
    expect(taken).toBeGreaterThan(1);
    expect(refusal).toMatchObject({ code: 'PRIVACY_SPENT', details: { epsilonMax: 2 } });
    expect(await budget.state()).toMatchObject({
      steps: taken,
      epsilon: privacyLoss([{ ...step, steps: taken }], 1e-5).epsilon,
    });
    await expect(budget.spend(step)).rejects.toMatchObject({ code: 'PRIVACY_SPENT' });
  });

  it('is the same after it was opened again, and cannot be widened by opening it', async () => {
    const store = new MemoryStore();
    await openPrivacyBudget(store, 'notes', terms).spend({ ...step, steps: 3 });
    const wider = openPrivacyBudget(store, 'notes', { epsilonMax: 50, delta: 0.1 });
    expect(await wider.state()).toMatchObject({ steps: 3, epsilonMax: 2, delta: 1e-5 });
    await expect(wider.spend({ ...step, steps: 100 })).rejects.toMatchObject({ code: 'PRIVACY_SPENT' });
  });

  it('two that spend at once do not both get the last step', async () => {
    const budget = openPrivacyBudget(new MemoryStore(), 'notes', { epsilonMax: 1.5, delta: 1e-5 });
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => budget.spend(step)));
    const taken = results.filter(({ status }) => status === 'fulfilled').length;
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(6);
    expect(await budget.state()).toMatchObject({ steps: taken });
  });

  it('says the least noise with which so many steps fit, and no other does', async () => {
    const budget = openPrivacyBudget(new MemoryStore(), 'notes', terms);
    const noise = await budget.leastNoise(20);
    expect(privacyLoss([{ noise, sampleRate: 1, steps: 20 }], 1e-5).epsilon).toBeLessThanOrEqual(2);
    expect(privacyLoss([{ noise: noise - 0.001, sampleRate: 1, steps: 20 }], 1e-5).epsilon).toBeGreaterThan(2);
    expect((await budget.state()).steps).toBe(0);
    for (let done = 0; done < 19; done += 1) await budget.spend({ noise, sampleRate: 1, steps: 1 });
    await expect(budget.leastNoise(1)).resolves.toBeCloseTo(noise, 1);
    await expect(budget.leastNoise(2)).resolves.toBeGreaterThan(noise + 0.1);
    await budget.spend({ noise: await budget.leastNoise(1), sampleRate: 1, steps: 1 });
    await expect(budget.leastNoise(1_000)).rejects.toMatchObject({ code: 'PRIVACY_SPENT' });
  });

  it('one data set’s budget is not another’s', async () => {
    const store = new MemoryStore();
    await openPrivacyBudget(store, 'notes', terms).spend(step);
    expect(await openPrivacyBudget(store, 'letters', terms).state()).toMatchObject({ steps: 0, epsilon: 0 });
  });

  it.each([
    { noise: 0, sampleRate: 1, steps: 1 },
    { noise: 1, sampleRate: 1.1, steps: 1 },
    { noise: 1, sampleRate: 0, steps: 1 },
    { noise: 1, sampleRate: 1, steps: 0 },
    { noise: Number.NaN, sampleRate: 1, steps: 1 },
  ])('refuses steps that are none: %o', async (wrong) => {
    const budget = openPrivacyBudget(new MemoryStore(), 'notes', terms);
    await expect(budget.spend(wrong)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('noise', () => {
  it('is normal: 100,000 draws pass the Kolmogorov–Smirnov test at 1e-3', () => {
    const normal = normals(seededRandom(5));
    const draws = Float64Array.from({ length: 100_000 }, normal).toSorted();
    let distance = 0;
    draws.forEach((value, index) => {
      const expected = normalCdf(value);
      distance = Math.max(distance, expected - index / draws.length, (index + 1) / draws.length - expected);
    });
    expect(distance).toBeLessThan(1.95 / Math.sqrt(draws.length));
  });

  it('is added to a vector that was shortened to the clip length, and one that is short stays as it is', () => {
    const none = { clip: 1, noise: 0 };
    expect([...clipAndAddNoise(Float32Array.of(3, 4), none, seededRandom(1))]).toEqual([
      Math.fround(0.6),
      Math.fround(0.8),
    ]);
    expect([...clipAndAddNoise(Float32Array.of(0.3, 0), none, seededRandom(1))]).toEqual([Math.fround(0.3), 0]);
    expect([...clipAndAddNoise(new Float32Array(2), none, seededRandom(1))]).toEqual([0, 0]);
  });

  it('has the deviation noise times clip', () => {
    const noisy = clipAndAddNoise(new Float32Array(20_000), { clip: 0.5, noise: 4 }, seededRandom(2));
    const deviation = Math.sqrt(noisy.reduce((sum, value) => sum + value * value, 0) / noisy.length);
    expect(deviation).toBeGreaterThan(1.95);
    expect(deviation).toBeLessThan(2.05);
  });
});

/** Φ by the error function of Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most. */
function normalCdf(x: number): number {
  const t = 1 / (1 + (0.327_591_1 * Math.abs(x)) / Math.SQRT2);
  const poly =
    t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
  const erf = 1 - poly * Math.exp((-x * x) / 2);
  return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}
