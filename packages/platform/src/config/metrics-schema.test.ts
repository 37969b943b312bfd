import { expect, test } from 'vitest';
import { metricsSection } from './metrics-schema.ts';

const rule = { metric: 'phi', when: 'above', threshold: 0.5 };
const accepts = (alerts: unknown): boolean => metricsSection.safeParse({ alerts }).success;

test('a rule of an alert names a metric, a side, a mark within the range, and how far the value comes back', () => {
  expect(metricsSection.parse({ alerts: [rule] })).toEqual({ alerts: [{ ...rule, hysteresis: 0.05 }] });
  expect(metricsSection.parse(undefined)).toEqual({ alerts: [] });
  for (const wrong of [{ metric: 'joy' }, { when: 'at' }, { threshold: 1.01 }, { threshold: -1.01 }, { hysteresis: 0 }])
    expect([wrong, accepts([{ ...rule, ...wrong }])]).toEqual([wrong, false]);
});

test('there are 64 rules at the most', () => {
  const rules = (length: number) => Array.from({ length }, () => rule);
  expect([accepts(rules(64)), accepts(rules(65))]).toEqual([true, false]);
});
