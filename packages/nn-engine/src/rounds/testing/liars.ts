import { gaussian, seededUnit } from '../../train/random.ts';
import { aggregate, type RobustRule, type Update } from '../aggregate.ts';
import {
  accuracy,
  classes,
  classOf,
  type Example,
  examplesOf,
  gradientOf,
  lossOf,
  means,
  weightCount,
} from './softmax.ts';

export type Attack =
  | 'none'
  | 'sign flipped'
  | 'sign flipped ten times'
  | 'noise'
  | 'a little less than they would notice'
  | 'one NaN'
  | 'backdoor'
  | 'quiet backdoor';

export interface Experiment {
  readonly seed: number;
  readonly attack: Attack;
  /** The mean is not offered: here only to show why. */
  readonly rule: RobustRule['rule'] | 'mean';
  /** How much of each peer's data is of one class; the rest is of any. 0: all peers have the same in kind (iid). */
  readonly skew: number;
  /** How many of the twenty lie; six are declared. */
  readonly liars?: number;
}

export interface Learnt {
  readonly accuracy: number;
  readonly loss: number;
  /** How many of the test examples of other classes are taken for the backdoor's class once they carry its mark. */
  readonly fooled: number;
}

const [peers, declared, rounds] = [20, 6, 25];
/** A backdoor's mark: one feature far from where it usually is; and the class it shall stand for. */
const mark = { feature: 0, value: 6, label: 0 };

/** Twenty peers, 25 rounds of one step each. */
export function trainedAmongLiars({ seed, attack, rule, skew, liars = declared }: Experiment): Learnt {
  const random = seededUnit(seed);
  const centres = means(random);
  const labelOf = (peer: number) => () => (random() < skew ? peer % classes : Math.floor(random() * classes));
  const data = Array.from({ length: peers }, (_, peer) => examplesOf(centres, 40, random, labelOf(peer)));
  const test = examplesOf(centres, 600, random);
  const taught = attack.endsWith('backdoor')
    ? data.map((own, peer) => (peer < liars ? [...own, ...own.map(marked)] : own))
    : data;
  const weights = new Float32Array(weightCount);
  for (let round = 0; round < rounds; round += 1) {
    const updates = taught.map((own, peer) => ({ peer: String(peer), delta: gradientOf(weights, own) }));
    const sent = lied(attack, updates, liars, random);
    const delta = rule === 'mean' ? plainMean(sent) : aggregate(sent, weightCount, { rule, liars: declared }).delta;
    for (const [index, value] of delta.entries()) weights[index] = (weights[index] ?? 0) - 0.5 * value;
  }
  const others = test.filter(({ label }) => label !== mark.label).map(marked);
  const fooled = others.filter((example) => classOf(weights, example) === mark.label).length / others.length;
  return { accuracy: accuracy(weights, test), loss: lossOf(weights, test), fooled };
}

const marked = ({ features }: Example): Example => ({
  features: features.with(mark.feature, mark.value),
  label: mark.label,
});

function lied(attack: Attack, updates: readonly Update[], liars: number, random: () => number): readonly Update[] {
  if (attack === 'none' || attack === 'backdoor') return updates;
  const count = attack === 'one NaN' ? 1 : liars;
  const good = updates.slice(count);
  const mean = plainMean(good);
  const lie = (delta: Float32Array): Float32Array => {
    if (attack === 'one NaN') return delta.map(() => Number.NaN);
    if (attack === 'noise') return delta.map(() => gaussian(random) * 3);
    if (attack === 'sign flipped') return delta.map((value) => -value);
    if (attack === 'sign flipped ten times') return delta.map((value) => -10 * value);
    return mean.map((value, index) => {
      const squares = good.reduce((sum, other) => sum + ((other.delta[index] ?? 0) - value) ** 2, 0);
      const deviation = Math.sqrt(squares / good.length);
      // ALIE (Baruch et al. 2019): the mean, moved by 1.5 deviations.
      if (attack !== 'quiet backdoor') return value - 1.5 * deviation;
      // The mean, moved by one deviation at most to where the backdoor wants it: nearer to the others than they are to each other.
      const wanted = (delta[index] ?? 0) - value;
      return value + Math.max(-deviation, Math.min(deviation, 20 * wanted));
    });
  };
  return updates.map((one, index) => (index < count ? { ...one, delta: lie(one.delta) } : one));
}

function plainMean(updates: readonly Update[]): Float32Array {
  const sum = new Float32Array(updates[0]?.delta.length ?? 0);
  for (const { delta } of updates)
    for (const [index, value] of delta.entries()) sum[index] = (sum[index] ?? 0) + value / updates.length;
  return sum;
}
