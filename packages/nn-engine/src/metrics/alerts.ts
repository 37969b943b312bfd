import { type Machine, PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type MetricName, metricNames, type StateMetrics } from './metrics.ts';

/** `above`: raised at the threshold or over it, cleared at threshold − hysteresis or under it. `below`: the other way round. */
export interface AlertRule {
  readonly metric: MetricName;
  readonly when: 'above' | 'below';
  readonly threshold: number;
  /** How far the value must come back, above 0. */
  readonly hysteresis: number;
}
/** Which rules are raised, in the order of the rules. */
export type AlertState = readonly boolean[];
export interface AlertChange {
  readonly rule: AlertRule;
  readonly raised: boolean;
  readonly value: number;
  readonly atMs: number;
}
export interface AlertMachine extends Machine<AlertState, StateMetrics, AlertChange> {
  /** No rule is raised. */
  readonly initial: AlertState;
}

/** Says once when a metric crosses a rule's threshold, and once when it has come back. Throws INVALID_OPTION, LIMIT_REACHED. */
export function createAlertMachine(rules: readonly AlertRule[]): AlertMachine {
  if (rules.length > limits.alertRulesMax)
    throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', `At most ${limits.alertRulesMax} rules.`);
  for (const rule of rules) checkRule(rule);
  return {
    initial: rules.map(() => false),
    step(state, metrics, atMs) {
      const next = rules.map((rule, index) => raisedBy(rule, metrics[rule.metric], state[index] ?? false));
      const changes = rules.flatMap((rule, index): AlertChange[] => {
        const [raised = false, value] = [next[index], metrics[rule.metric]];
        return value === undefined || raised === (state[index] ?? false) ? [] : [{ rule, raised, value, atMs }];
      });
      return [next, changes];
    },
  };
}

/** A value between the two marks, or none, changes nothing. */
function raisedBy({ when, threshold, hysteresis }: AlertRule, value: number | undefined, before: boolean): boolean {
  if (value === undefined) return before;
  const over = when === 'above' ? value - threshold : threshold - value;
  if (over >= 0) return true;
  const back = when === 'above' ? threshold - hysteresis : threshold + hysteresis;
  return (when === 'above' ? value <= back : value >= back) ? false : before;
}

function checkRule({ metric, threshold, hysteresis }: AlertRule): void {
  if (!metricNames.includes(metric) || !Number.isFinite(threshold) || !(hysteresis > 0 && Number.isFinite(hysteresis)))
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      'A rule names a metric, a threshold, and a hysteresis above 0.',
      {
        metric,
        threshold: String(threshold),
        hysteresis: String(hysteresis),
      },
    );
}
