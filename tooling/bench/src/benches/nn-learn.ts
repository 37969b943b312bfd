import {
  accuracyOf,
  classError,
  createCluster,
  latencyWeight,
  type ToyTask,
  toyTasks,
  trainCluster,
} from '@peerai/nn-engine/cluster';
import { seededUnit } from '@peerai/nn-engine';
import { type Bench, median, type Result, resultOf } from '../harness.ts';

const seeds = [1, 2, 3, 4, 5];
const presentations = 2_000;
const chance = 50;
/** Points that learning must bring, above chance and above the same cluster untrained. */
const marginPoints = 30;
/** What the errors of a peer with the answers must bring to one without: four standard errors of 400 samples. And how far apart they are. */
const taughtPoints = 10;
const latencyMs = 50;
const names: Readonly<Record<keyof typeof toyTasks, string>> = {
  'same-sign': 'same sign of two numbers',
  rings: 'inner or outer ring',
};

/** Does a gating cluster learn two classes that no line parts, against the same cluster untrained? */
export const nnLearn: Bench = {
  name: 'nn-learn',
  async run({ signal, log }) {
    const results: Result[] = [];
    for (const name of Object.keys(names) as (keyof typeof toyTasks)[]) {
      signal.throwIfAborted();
      log(`${names[name]}: ${seeds.length} clusters, ${presentations} presentations each`);
      results.push(
        ...rowsOf(
          names[name],
          seeds.map((seed) => learned(toyTasks[name], seed)),
        ),
      );
    }
    log(`a peer without answers, ${latencyMs} ms from one that has them`);
    for (const name of Object.keys(names) as (keyof typeof toyTasks)[]) {
      signal.throwIfAborted();
      results.push(
        ...rowsOf(
          `${names[name]}, taught`,
          seeds.map((seed) => taught(toyTasks[name], seed)),
          taughtPoints,
        ),
      );
    }
    return {
      results,
      notes: [
        `Baseline: the same clusters untrained. 32 nodes, 8 steps a presentation, rate 0.05; judged by 400 samples; median of seeds ${seeds.join(', ')}.`,
        `Taught: it learns from nothing but another cluster's errors, each times ${latencyWeight(latencyMs).toFixed(2)} for ${latencyMs} ms; and hears little once that one is right.`,
        'Counts, not times: a busy machine does not change them.',
      ],
    };
  },
};

/** Percent right before and after learning. */
function learned(task: ToyTask, seed: number) {
  const cluster = createCluster({ nodes: 32, inputs: 2, seed });
  const judge = (): number => accuracyOf(cluster, task, { seed: seed + 900 }) * 100;
  const untrained = judge();
  trainCluster(cluster, task, { presentations, seed: seed + 100 });
  return { untrained, trained: judge() };
}

/** The same for a cluster that sees the inputs, and of the answers only another cluster's errors, weighed by the latency between them. */
function taught(task: ToyTask, seed: number) {
  const teacher = createCluster({ nodes: 32, inputs: 2, seed });
  const pupil = createCluster({ nodes: 32, inputs: 2, seed: seed + 50 });
  const judge = (): number => accuracyOf(pupil, task, { seed: seed + 900 }) * 100;
  const untrained = judge();
  const random = seededUnit(seed + 100);
  for (let turn = 0; turn < presentations; turn += 1) {
    const { input, label } = task(random);
    const error = classError(teacher.present(input), label);
    teacher.learn(error);
    pupil.present(input);
    pupil.learn(error.map((value) => value * latencyWeight(latencyMs)));
  }
  return { untrained, trained: judge() };
}

function rowsOf(name: string, readings: readonly ReturnType<typeof learned>[], goal = marginPoints): Result[] {
  const trained = readings.map((reading) => reading.trained);
  const untrained = readings.map((reading) => reading.untrained);
  const margin = median(trained) - Math.max(chance, median(untrained));
  return [
    resultOf({ case: name, unit: '% right', candidate: trained, baseline: untrained }),
    resultOf({
      case: `${name}: above chance and untrained`,
      unit: 'points',
      candidate: [margin],
      goal,
      rule: 'candidate-at-least',
    }),
  ];
}
