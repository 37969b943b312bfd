import { type Clock, PeerAiError, reasonOf } from '@peerai/core-protocol';
import { type Cluster, classError, mostVoted } from '@peerai/nn-engine/cluster';
import type { z } from 'zod';
import { clusterLimits } from './limits.ts';
import type { clusterLessonSchema, clusterStepsSchema } from './clusters.schema.ts';

export interface WorkDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Nodes that fired in the last step. */
  readonly fired: (nodes: readonly number[]) => void;
}
type Steps = z.output<typeof clusterStepsSchema>;
type Lesson = z.output<typeof clusterLessonSchema>;

/** A node that does not fire gives 0. */
const firedOf = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value, node) => (value === 0 ? -1 : node)).filter((node) => node >= 0);

/**
 * One step an input. Throws INVALID_OPTION, LIMIT_EXCEEDED, ABORTED; what came before stands.
 *
 * @returns which nodes fired in each step, and what each gave in the last.
 */
export async function processSteps(
  cluster: Cluster,
  { inputs, everyMs }: Steps,
  { clock, signal, fired }: WorkDeps,
): Promise<{ readonly fired: number[][]; readonly values: number[] }> {
  if (inputs.length * everyMs > clusterLimits.clusterRunMsMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `these steps would take longer than ${clusterLimits.clusterRunMsMax} ms`);
  const turn = turns(clock, signal, cluster, inputs.length);
  const all: number[][] = [];
  let values: Float64Array = new Float64Array();
  for (const [index, input] of inputs.entries()) {
    if (index > 0 && everyMs > 0) await clock.sleep(everyMs, signal);
    values = cluster.process(input);
    const nodes = firedOf(values);
    all.push(nodes);
    fired(nodes);
    await turn(1);
  }
  return { fired: all, values: [...values] };
}

/**
 * Presents each example and learns from its error. Throws INVALID_OPTION, LIMIT_EXCEEDED, ABORTED; what was learned before stands.
 *
 * @param taught - hears each error.
 */
export async function learnExamples(
  cluster: Cluster,
  { examples, passes, rate }: Lesson,
  { clock, signal, fired }: WorkDeps,
  taught: (error: Float64Array) => void,
): Promise<{ readonly presented: number; readonly rightFirst: number; readonly rightLast: number }> {
  const wrong = examples.find(({ label }) => label >= cluster.outputs);
  if (wrong !== undefined)
    throw new PeerAiError(
      'INVALID_OPTION',
      `label ${wrong.label}: this cluster has outputs 0 to ${cluster.outputs - 1}`,
    );
  const stepsEach = 8;
  const turn = turns(clock, signal, cluster, passes * examples.length * stepsEach);
  const rights: number[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    let right = 0;
    for (const { input, label } of examples) {
      const votes = cluster.present(input, { steps: stepsEach });
      if (mostVoted(votes) === label) right += 1;
      const error = classError(votes, label);
      cluster.learn(error, { rate });
      taught(error);
      if (await turn(stepsEach)) fired(firedNow(cluster));
    }
    rights.push(right / examples.length);
  }
  fired(firedNow(cluster));
  return { presented: passes * examples.length, rightFirst: rights[0] ?? 0, rightLast: rights.at(-1) ?? 0 };
}

export const firedNow = (cluster: Cluster): number[] => firedOf(cluster.nodes().map(({ value }) => value));

/**
 * Lets others have their turn after so many visits of weights. Throws LIMIT_EXCEEDED for more steps than one request may take, and at a turn ABORTED.
 *
 * @returns of each call whether it waited.
 */
function turns(
  clock: Clock,
  signal: AbortSignal,
  { size, inputs }: Cluster,
  steps: number,
): (steps: number) => Promise<boolean> {
  const visitsEach = size * (inputs + 1);
  if (visitsEach * steps > clusterLimits.clusterVisitsMax) {
    const most = Math.floor(clusterLimits.clusterVisitsMax / visitsEach);
    throw new PeerAiError('LIMIT_EXCEEDED', `this cluster takes at most ${most} steps in one request`, { most, steps });
  }
  let visits = 0;
  return async (more) => {
    if (signal.aborted) throw reasonOf(signal);
    visits += more * visitsEach;
    if (visits < clusterLimits.clusterVisitsAtOnce) return false;
    visits = 0;
    await clock.sleep(0, signal);
    return true;
  };
}
