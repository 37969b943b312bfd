import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { limits } from '../limits.ts';
import { type AlertRule, createAlertMachine } from './alerts.ts';
import { createStateTracker, type StateMetrics } from './metrics.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const empty = createStateTracker().observe({});
const rule: AlertRule = { metric: 'phi', when: 'above', threshold: 0.5, hysteresis: 0.25 };

/** What the machine says to each value: up, down, or nothing. */
function said(rules: readonly AlertRule[], values: readonly (number | undefined)[]): string[] {
  const machine = createAlertMachine(rules);
  let state = machine.initial;
  return values.map((phi, index) => {
    const [next, changes] = machine.step(state, { ...empty, phi }, index);
    state = next;
    return changes.map(({ raised, value, atMs }) => `${raised ? 'up' : 'down'} ${value} ${atMs}`).join(', ');
  });
}

describe('An alert', () => {
  it('is raised once at its threshold, and cleared once when the value has come back by the hysteresis', () => {
    expect(said([rule], [0.499, 0.5, 0.9, 0.49, 0.5, 0.251, 0.25, 0.1, 0.499, 0.5])).toEqual([
      '',
      'up 0.5 1',
      '',
      '',
      '',
      '',
      'down 0.25 6',
      '',
      '',
      'up 0.5 9',
    ]);
  });

  it('below is the mirror of above', () => {
    const below: AlertRule = { ...rule, when: 'below' };
    expect(said([below], [0.501, 0.5, 0.1, 0.6, 0.749, 0.75, 0.6, 0.5])).toEqual([
      '',
      'up 0.5 1',
      '',
      '',
      '',
      'down 0.75 5',
      '',
      'up 0.5 7',
    ]);
  });

  it('stays as it is while its metric is missing', () => {
    expect(said([rule], [undefined, 0.6, undefined, 0.6, undefined, 0.1])).toEqual([
      '',
      'up 0.6 1',
      '',
      '',
      '',
      'down 0.1 5',
    ]);
  });

  it('of each rule is its own', () => {
    const other: AlertRule = { metric: 'valence', when: 'below', threshold: 0, hysteresis: 0.1 };
    const machine = createAlertMachine([rule, other]);
    const metrics: StateMetrics = { ...empty, phi: 1, valence: -1 };
    const [state, changes] = machine.step(machine.initial, metrics, 3);
    expect(changes).toEqual([
      { rule, raised: true, value: 1, atMs: 3 },
      { rule: other, raised: true, value: -1, atMs: 3 },
    ]);
    expect(machine.step(state, { ...metrics, valence: 0.2 }, 4)[1]).toEqual([
      { rule: other, raised: false, value: 0.2, atMs: 4 },
    ]);
  });

  it('up and down take turns, whatever the values', () => {
    const value = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined });
    const property = fc.property(
      fc.array(value, { maxLength: 60 }),
      fc.constantFrom('above', 'below'),
      (values, when) => {
        const turns = said([{ ...rule, when }], values).filter((text) => text !== '');
        turns.forEach((text, index) => expect(text.startsWith(index % 2 === 0 ? 'up' : 'down')).toBe(true));
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  it('has rules that make sense, and so many', () => {
    const many = (count: number) => () => createAlertMachine(Array.from({ length: count }, () => rule));
    expect(many(limits.alertRulesMax)().initial).toHaveLength(limits.alertRulesMax);
    expect(many(limits.alertRulesMax + 1)).toThrow(code('LIMIT_REACHED'));
    for (const wrong of [{ hysteresis: 0 }, { hysteresis: Infinity }, { threshold: NaN }, { metric: 'mood' as 'phi' }])
      expect(() => createAlertMachine([{ ...rule, ...wrong }])).toThrow(code('INVALID_OPTION'));
  });
});
