import { limits } from './limits.ts';

/** What a goal is held against. Without a goal a row only informs. */
export type Rule = 'ratio-at-least' | 'ratio-at-most' | 'candidate-at-least' | 'candidate-at-most';

/** One row of an answer. Numbers are medians over the rounds. */
export interface Result {
  readonly case: string;
  /** Median of the rounds' own ratios, candidate / baseline; null when one of them was not measured. */
  readonly ratio: number | null;
  readonly goal: number | null;
  /** The goal was measured and is met; true for a row without a goal. */
  readonly pass: boolean;
  readonly baseline: number | null;
  readonly candidate: number | null;
  readonly unit: string;
  readonly rule: Rule | null;
}
export interface Answer {
  readonly results: readonly Result[];
  /** Sentences below the table: what was not measured and why, what the rows mean. */
  readonly notes?: readonly string[];
}
export interface BenchContext {
  readonly signal: AbortSignal;
  /** Progress, to stderr. */
  readonly log: (line: string) => void;
  /** `--quick`: a short form, where a bench has one; it says that it is. */
  readonly quick?: boolean;
  /** `--plot FILE`: where a bench that draws writes its picture. */
  readonly plot?: string | undefined;
}
/** One question. */
export interface Bench {
  readonly name: string;
  /** What `run` takes at most, milliseconds; `limits.benchMs` unless said. */
  readonly msMax?: number;
  run(context: BenchContext): Promise<Answer>;
}

type Part = (round: number) => number | Promise<number>;

/**
 * Measures every part once a round, each round beginning with the next part, so that a machine that slows down or warms up treats all alike.
 * The first `warmups` rounds are thrown away. Throws RangeError below five rounds, and the signal's reason.
 */
export async function interleave<Name extends string>(
  parts: Readonly<Record<Name, Part>>,
  options: { readonly rounds?: number; readonly warmups?: number; readonly signal?: AbortSignal } = {},
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const { rounds = limits.roundsMin, warmups = 1, signal } = options;
  if (rounds < limits.roundsMin) throw new RangeError(`${rounds} rounds; at least ${limits.roundsMin}`);
  const names = Object.keys(parts) as Name[];
  const readings = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmups; round < rounds; round += 1) {
    const first = (round + warmups) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      signal?.throwIfAborted();
      const value = await parts[name](round);
      if (round >= 0) readings[name].push(value);
    }
  }
  return readings;
}

/** The middle value; the mean of the two middle ones of an even count. Throws RangeError without values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

export interface Readings {
  readonly case: string;
  readonly unit: string;
  readonly candidate: readonly number[];
  readonly baseline?: readonly number[];
  readonly goal?: number;
  /** `ratio-at-least` unless said. */
  readonly rule?: Rule;
}

/** A row from the readings of one interleaved run. Throws RangeError when the two do not have the same number of rounds. */
export function resultOf(readings: Readings): Result {
  const { candidate, baseline, goal, rule = 'ratio-at-least' } = readings;
  if (baseline !== undefined && baseline.length !== candidate.length) throw new RangeError('not the same rounds');
  const value = median(candidate);
  const ratio = baseline === undefined ? null : median(candidate.map((one, round) => one / (baseline[round] ?? NaN)));
  const held = ofRatio(rule) ? ratio : value;
  return {
    case: readings.case,
    ratio,
    goal: goal ?? null,
    pass: goal === undefined || (held !== null && meets(held, goal, rule)),
    baseline: baseline === undefined ? null : median(baseline),
    candidate: value,
    unit: readings.unit,
    rule: goal === undefined ? null : rule,
  };
}

/** A row whose candidate, or whose baseline, is not there: its goal is not met, and not claimed. */
export function notMeasured(row: {
  readonly case: string;
  readonly unit: string;
  readonly goal: number;
  readonly rule?: Rule;
}): Result {
  const { case: name, unit, goal, rule = 'ratio-at-least' } = row;
  return { case: name, ratio: null, goal, pass: false, baseline: null, candidate: null, unit, rule };
}

const meets = (value: number, goal: number, rule: Rule): boolean =>
  rule === 'candidate-at-most' || rule === 'ratio-at-most' ? value <= goal : value >= goal;

/** Whether a goal is held against the ratio, and not against the candidate by itself. */
export const ofRatio = (rule: Rule): boolean => rule === 'ratio-at-least' || rule === 'ratio-at-most';

/** Seconds of processor time, all threads of this process: on a busy machine the clock counts the neighbours' work too. */
export async function processorSeconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000_000;
}

/** Milliseconds that work takes. */
export async function elapsedMs(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
