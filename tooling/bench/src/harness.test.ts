import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elapsedMs, interleave, median, notMeasured, processorSeconds, resultOf } from './harness.ts';
import { limits } from './limits.ts';

describe('The median', () => {
  it('is the middle of an odd count, and the mean of the middle two of an even one', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 2, 9, 1])).toBe(5.5);
  });

  it('does not change the values given, and is never moved by one wild value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 4, maxLength: 12 }), (values) => {
        const given = [...values];
        const wild = median([...values, 1_000_000]);
        expect(values).toEqual(given);
        expect(wild).toBeLessThanOrEqual(100);
        expect(wild).toBeGreaterThanOrEqual(median(values));
      }),
    );
  });

  it('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('Interleaving', () => {
  const record = async (rounds: number | undefined, warmups: number) => {
    const order: string[] = [];
    const note = (name: string) => (round: number) => {
      order.push(`${name}${round}`);
      return round;
    };
    const options = { warmups, ...(rounds === undefined ? {} : { rounds }) };
    const readings = await interleave({ a: note('a'), b: note('b') }, options);
    return { order, readings };
  };

  it('measures every part once a round and lets each round begin with the next part', async () => {
    const { order } = await record(undefined, 0);
    expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2', 'b3', 'a3', 'a4', 'b4']);
  });

  it('throws the warm-up rounds away', async () => {
    const { order, readings } = await record(6, 2);
    expect(order).toHaveLength(16);
    expect(readings).toEqual({ a: [0, 1, 2, 3, 4, 5], b: [0, 1, 2, 3, 4, 5] });
  });

  it('takes five rounds and refuses four', async () => {
    const { readings } = await record(limits.roundsMin, 0);
    expect(readings.a).toHaveLength(limits.roundsMin);
    await expect(record(limits.roundsMin - 1, 0)).rejects.toThrow(RangeError);
  });

  it('ends between two readings when its signal fires', async () => {
    const control = new AbortController();
    let count = 0;
    const part = () => {
      count += 1;
      if (count === 3) control.abort(new Error('enough'));
      return 1;
    };
    await expect(interleave({ a: part, b: part }, { signal: control.signal })).rejects.toThrow('enough');
    expect(count).toBe(3);
  });
});

describe('A result', () => {
  const row = { case: 'c', unit: '/s' };

  it('has the median of the rounds’ own ratios, so that a slow round slows both sides', () => {
    const result = resultOf({ ...row, candidate: [9, 90, 18, 50, 30], baseline: [10, 100, 20, 25, 100], goal: 0.9 });
    expect(result).toEqual({
      ...row,
      ratio: 0.9,
      goal: 0.9,
      pass: true,
      baseline: 25,
      candidate: 30,
      rule: 'ratio-at-least',
    });
  });

  it.each([
    ['ratio-at-least', 0.9, true],
    ['ratio-at-least', 0.91, false],
    ['ratio-at-most', 0.9, true],
    ['ratio-at-most', 0.89, false],
    ['candidate-at-least', 90, true],
    ['candidate-at-least', 91, false],
    ['candidate-at-most', 90, true],
    ['candidate-at-most', 89, false],
  ] as const)('with the rule %s and the goal %d passes: %s', (rule, goal, pass) => {
    const [candidate, baseline] = [Array(5).fill(90), Array(5).fill(100)];
    expect(resultOf({ ...row, candidate, baseline, goal, rule }).pass).toBe(pass);
  });

  it('without a goal only informs', () => {
    expect(resultOf({ ...row, candidate: [1] })).toMatchObject({
      goal: null,
      rule: null,
      ratio: null,
      baseline: null,
      pass: true,
    });
  });

  it('without a baseline does not pass a goal on the ratio', () => {
    expect(resultOf({ ...row, candidate: [1], goal: 0.1 }).pass).toBe(false);
  });

  it('that was not measured does not pass', () => {
    expect(notMeasured({ ...row, goal: 0.8 })).toMatchObject({
      pass: false,
      ratio: null,
      candidate: null,
      rule: 'ratio-at-least',
    });
  });

  it('refuses a baseline of other rounds', () => {
    expect(() => resultOf({ ...row, candidate: [1, 2], baseline: [1] })).toThrow(RangeError);
  });
});

it('Processor time does not count waiting', async () => {
  const wait = () => new Promise((resolve) => setTimeout(resolve, 300));
  let waited = 0;
  const seconds = await processorSeconds(async () => {
    waited = await elapsedMs(wait);
  });
  expect(waited).toBeGreaterThan(290);
  expect(seconds).toBeLessThan(0.2);
});
