import { createTrainer, freshState } from '@peerai/nn-engine';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { freshFolder } from '../folder.ts';
import {
  type Answer,
  type Bench,
  type BenchContext,
  elapsedMs,
  interleave,
  notMeasured,
  processorSeconds,
  resultOf,
} from '../harness.ts';
import { findTorch, startTorch, type Steps, torchMissing } from '../train-step/pytorch.ts';
import { learningRate, length, rows, workload, type Workload } from '../train-step/workload.ts';

const rounds = 7;
/** More than one fight for the cores of a shared machine: PyTorch's then took twenty times as long. */
const threads = 1;
const stepsPerRound = 4;
const goal = 1;
/** How far the two losses may be apart in the first rounds, nats: further, and they do not train the same model. */
const lossToleranceMax = 5e-3;

const oneThread = { case: 'one thread, of its processor time', unit: 'steps/s' } as const;

/** Training steps a second of the 1 M language model, against PyTorch? */
export const trainStep: Bench = {
  name: 'train-step',
  async run(context) {
    const python = await findTorch(context.signal);
    if (python === undefined) return { results: [notMeasured({ ...oneThread, goal })], notes: [torchMissing] };
    using folder = freshFolder();
    const work = workload();
    const measured = await compare(context, { python, folder: folder.path, work });
    if (measured.slow) {
      const note = `PyTorch ${measured.version} takes its matrix products from the reference BLAS, 25 times too slow to compare with: apt-get install libopenblas0.`;
      return { results: [notMeasured({ ...oneThread, goal })], notes: [note] };
    }
    return answer(work, measured);
  },
};

function answer(work: Workload, measured: Measured): Answer {
  const results = [
    resultOf({ ...oneThread, goal, ...rate(measured, 'processorSeconds') }),
    resultOf({ ...oneThread, case: 'one thread, by the clock', ...rate(measured, 'seconds') }),
  ];
  return {
    results,
    notes: [
      `PyTorch ${measured.version} with ${measured.blas}; ${work.weights.length} parameters, ${rows} rows of ${length} bytes a step, AdamW and clipping on both sides.`,
      `The losses of both stayed within ${measured.apart.toExponential(1)} nats of each other over the first ${stepsPerRound} steps.`,
    ],
  };
}

interface Measured {
  readonly ours: readonly Steps[];
  readonly theirs: readonly Steps[];
  readonly blas: string;
  readonly version: string;
  /** The baseline is none: the reference BLAS. */
  readonly slow: boolean;
  readonly apart: number;
}

interface Comparison {
  readonly python: string;
  readonly folder: string;
  readonly work: Workload;
}

async function compare({ signal, log }: BenchContext, { python, folder, work }: Comparison): Promise<Measured> {
  await using torch = await startTorch(python, folder, work, threads);
  const { blas, version } = torch;
  if (blas === 'reference') return { ours: [], theirs: [], blas, version, slow: true, apart: 0 };
  log(`PyTorch ${version} with ${blas}`);
  await using trainer = await createTrainer(
    { runtime: createNodeRuntime() },
    { graph: work.graph, initial: freshState(work.weights), threads, signal },
  );
  const mine = async (): Promise<Steps> => {
    const losses: number[] = [];
    let seconds = 0;
    const used = await processorSeconds(async () => {
      seconds =
        (await elapsedMs(async () => {
          for (let step = 0; step < stepsPerRound; step += 1) {
            losses.push((await trainer.step(work.batch, learningRate, signal)).loss);
          }
        })) / 1000;
    });
    return { losses, seconds, processorSeconds: used };
  };
  const [ours, theirs]: [Steps[], Steps[]] = [[], []];
  await interleave(
    {
      ours: async () => ours.push(await mine()),
      theirs: async () => theirs.push(await torch.steps(stepsPerRound)),
    },
    { rounds, signal },
  );
  const apart = distance(ours[0], theirs[0]);
  if (!(apart < lossToleranceMax)) throw new Error(`the two losses are ${apart} nats apart: not the same model`);
  // The first of each was the warm-up.
  return { ours: ours.slice(1), theirs: theirs.slice(1), blas, version, slow: false, apart };
}

function distance(ours: Steps | undefined, theirs: Steps | undefined): number {
  return Math.max(...(ours?.losses ?? []).map((loss, step) => Math.abs(loss - (theirs?.losses[step] ?? Number.NaN))));
}

function rate({ ours, theirs }: Measured, of: 'seconds' | 'processorSeconds') {
  const rates = (all: readonly Steps[]): number[] => all.map((steps) => steps.losses.length / steps[of]);
  return { candidate: rates(ours), baseline: rates(theirs) };
}
