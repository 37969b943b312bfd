import { seededUnit } from '../train/random.ts';
import type { Cluster } from './cluster.ts';
import { classError, mostVoted } from './votes.ts';

/** Draws an input of two numbers and its class, 0 or 1; both classes are equally likely. */
export type ToyTask = (random: () => number) => { readonly input: readonly [number, number]; readonly label: 0 | 1 };

/** Small tasks to watch a cluster learn with; no straight line parts the classes of either. */
export const toyTasks = {
  /** Whether two numbers have the same sign. */
  'same-sign': (random) => {
    const [x, y] = [random() * 2 - 1, random() * 2 - 1];
    return { input: [x, y], label: x * y > 0 ? 1 : 0 };
  },
  /** Whether a point lies on the outer of two rings. */
  rings: (random) => {
    const angle = random() * 2 * Math.PI;
    const label = random() < 0.5 ? 0 : 1;
    const radius = (label === 1 ? 0.9 : 0.4) + (random() - 0.5) * 0.2;
    return { input: [radius * Math.cos(angle), radius * Math.sin(angle)], label };
  },
} as const satisfies Record<string, ToyTask>;

/** Presents samples of a task and lets the cluster learn from each; with the same seed the same samples. */
export function trainCluster(
  cluster: Cluster,
  task: ToyTask,
  { presentations, seed }: { readonly presentations: number; readonly seed: number },
): void {
  const random = seededUnit(seed);
  for (let turn = 0; turn < presentations; turn += 1) {
    const { input, label } = task(random);
    cluster.learn(classError(cluster.present(input), label));
  }
}

/** Share of samples whose class gets the most votes; the cluster learns nothing from them. */
export function accuracyOf(
  cluster: Cluster,
  task: ToyTask,
  { samples = 400, seed }: { readonly samples?: number; readonly seed: number },
): number {
  const random = seededUnit(seed);
  let right = 0;
  for (let asked = 0; asked < samples; asked += 1) {
    const { input, label } = task(random);
    if (mostVoted(cluster.present(input)) === label) right += 1;
  }
  return right / samples;
}
