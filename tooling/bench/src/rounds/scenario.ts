import { createHash } from 'node:crypto';
import type { OuterStep } from '@peerai/nn-engine/rounds';
import { type Lessons, teachBase, weightsOf } from './base.ts';
import type { Kept } from './kept.ts';
import type { Line } from './plot.ts';
import {
  type Bits,
  type Curve,
  type Judged,
  packingName,
  type Place,
  type Plan,
  trainAlone,
  trainTogether,
} from './together.ts';

/** One comparison of rounds with one trainer: the same start, the same rows, the same schedule on all sides. */
export interface Scenario {
  /** What its rows and parts begin with. */
  readonly name: string;
  /** What its picture’s name ends with, before the dot. */
  readonly picture?: string;
  /** What one trainer teaches the model first; from untrained weights when absent. */
  readonly lessons?: Lessons;
  /** Steps of every part. */
  readonly steps: number;
  readonly shape: {
    readonly members: number;
    /** Rows of one member's step. */
    readonly rows: number;
    readonly outer: OuterStep;
    readonly judged: Judged;
  };
  /** Local steps of a round, by the bits of an update. */
  readonly rounds: readonly { readonly bits: Bits; readonly localSteps: number }[];
}

/** How each side did. */
export interface Measured {
  readonly scenario: Scenario;
  /** One trainer with all rows each step, and with as many as one member. */
  readonly joined: Curve;
  readonly single: Curve;
  readonly together: readonly Together[];
}

export interface Together {
  readonly bits: Bits;
  readonly localSteps: number;
  readonly curve: Curve;
}

/** Every part is kept until the whole is done. Throws the signal's reason. */
export async function measure(scenario: Scenario, place: Place, kept: Kept): Promise<Measured> {
  const { name, lessons, steps, shape, rounds } = scenario;
  const { text, log, signal } = place;
  const digest = createHash('sha256');
  for (const part of [...text.parts, text.heldOut]) digest.update(part);
  const known = { lessons, text: digest.digest('hex') };
  const spoken = { text, signal, log: (line: string) => log(`${name}: ${line}`) };
  const part = <T>(what: string, terms: unknown, work: () => Promise<T>) =>
    kept.part(`${name}: ${what}`, { ...known, terms }, work);
  const base =
    lessons === undefined ? {} : { from: weightsOf(await part('the base', {}, () => teachBase(lessons, spoken))) };
  const planOf = (localSteps: number): Plan => ({ ...shape, ...base, localSteps, rounds: steps / localSteps });
  // One trainer is judged as often as the members of the first kind of rounds.
  const judgedEach = rounds[0]?.localSteps ?? steps;
  const alone = { steps, judgedEach, shape: { ...shape, outer: undefined } };
  const joined = await part('one trainer', alone, () => trainAlone(planOf(judgedEach), spoken));
  const single = await part('one trainer, small batch', alone, () =>
    trainAlone({ ...planOf(judgedEach), members: 1 }, spoken),
  );
  const together: Together[] = [];
  for (const { bits, localSteps } of rounds) {
    const curve = await part(packingName(bits), { steps, shape, localSteps }, () =>
      trainTogether(planOf(localSteps), bits, spoken),
    );
    together.push({ bits, localSteps, curve });
  }
  return { scenario, joined, single, together };
}

/** Curves of loss by steps. */
export function linesOf({ scenario, joined, single, together }: Measured): readonly Line[] {
  const { steps, lessons } = scenario;
  const line = (name: string, { losses }: Curve): Line => ({
    name,
    // Untrained weights only guess; drawn, that would press the rest flat.
    points: losses
      .map((loss, index) => ({ x: (index * steps) / (losses.length - 1), y: loss }))
      .slice(lessons === undefined ? 1 : 0),
  });
  return [
    line('one trainer, all rows each step', joined),
    line('one trainer, one member’s rows each step', single),
    ...together.map(({ bits, localSteps, curve }) => line(`${packingName(bits)}, every ${localSteps} steps`, curve)),
  ];
}
