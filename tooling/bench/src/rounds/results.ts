import { type Result, resultOf } from '../harness.ts';
import { modelSize, rowLength } from './model.ts';
import type { Measured, Scenario, Together } from './scenario.ts';
import { type Curve, packingName } from './together.ts';

const goalTimes = 500;
const goalGap = 1;

/** The rows of one kind of rounds. */
export function rowsOf(
  { scenario, joined, single }: Measured,
  { bits, localSteps, curve }: Together,
): readonly Result[] {
  const { name: start, steps, lessons } = scenario;
  const { firstLoss, lastLoss, bytesSent } = curve;
  const [, ...members] = bytesSent;
  const float32 = 4 * modelSize * steps;
  const sentByMember = Math.max(...members);
  const sentByAll = bytesSent.reduce((sum, bytes) => sum + bytes, 0);
  const rounds = steps / localSteps;
  const name = `${start}, ${packingName(bits)}${bits === 8 ? '' : ' + error feedback'}, ${rounds} rounds of ${localSteps} steps`;
  const gap = (other: Curve): number => (lastLoss / other.lastLoss - 1) * 100;
  const one = (what: string, unit: string, candidate: number, baseline?: number): Parameters<typeof resultOf>[0] => ({
    case: `${name}: ${what}`,
    unit,
    candidate: [candidate],
    ...(baseline === undefined ? {} : { baseline: [baseline] }),
  });
  return [
    resultOf({
      ...one('fewer bytes sent by a member', 'times', float32 / sentByMember),
      goal: goalTimes,
      rule: 'candidate-at-least',
    }),
    resultOf(one('bytes a member sent in a round', 'B', sentByMember / rounds)),
    resultOf(one('fewer bytes over all links, both ways', 'times', (2 * members.length * float32) / sentByAll)),
    resultOf({
      ...one('loss above one trainer’s with all rows', '%', gap(joined)),
      goal: goalGap,
      rule: 'candidate-at-most',
    }),
    resultOf(one('loss above one trainer’s with one member’s rows a step', '%', gap(single))),
    resultOf(one('held-out loss, against one trainer with all rows', 'nats/byte', lastLoss, joined.lastLoss)),
    // Who learns nothing from a trained model has its loss too: what was learned stands beside it.
    ...(lessons === undefined
      ? []
      : [
          resultOf(one('held-out loss before', 'nats/byte', firstLoss)),
          resultOf(
            one('loss taken off, against one trainer', 'nats/byte', firstLoss - lastLoss, firstLoss - joined.lastLoss),
          ),
        ]),
  ];
}

/** What the scenario was, in a sentence or two. */
export function noteOf({ name, lessons, steps, shape }: Scenario): string {
  const { members, rows, outer } = shape;
  const first =
    lessons === undefined
      ? 'from untrained weights'
      : `from weights that one trainer taught for ${lessons.steps} steps of ${lessons.rows * members} rows`;
  return `${name}: ${first}; ${members} members, each with ${rows} rows of ${rowLength} bytes a step, ${steps} steps each; outer rate ${outer.learningRate}, momentum ${outer.momentum}.`;
}
