import type { Program, Runtime, Tensor, Tensors } from '@peerai/core-protocol';

import { type AdamW, stepFeeds, trainingCarry } from './training-graph.ts';

/** Weights and both moments, flat, and the steps they have seen: everything a run needs to go on. */
export interface TrainingState {
  readonly step: number;
  readonly weights: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

export interface StepResult {
  readonly step: number;
  /** Nats. */
  readonly loss: number;
  /** L2 norm before clipping. */
  readonly gradientNorm: number;
}

/** Drives one training graph; state stays inside the program between steps. */
export interface Trainer extends AsyncDisposable {
  /** One update on one batch. Throws SHAPE_MISMATCH, ABORTED (state is then as before). */
  step(batch: Tensors, learningRate: number, signal: AbortSignal): Promise<StepResult>;
  weights(): Promise<Float32Array>;
  /** Goes on from other weights; moments and step count stay. Throws SHAPE_MISMATCH. */
  load(weights: Float32Array): Promise<void>;
  state(): Promise<TrainingState>;
  /** What `TrainerOptions.statistics` have become. */
  statistics(): Promise<Readonly<Record<string, Float32Array>>>;
  /** Goes on from others. Throws SHAPE_MISMATCH. */
  loadStatistics(values: Readonly<Record<string, Float32Array>>): Promise<void>;
}

export interface TrainerOptions {
  /** Made by `trainingGraph`. */
  readonly graph: Uint8Array;
  readonly initial: TrainingState;
  /**
   * Numbers that steps carry on and gradients do not change, such as running means, with their first values: each NAME is an input of the graph that the
   * loss made, with the output NAME.next.
   */
  readonly statistics?: Readonly<Record<string, Float32Array>>;
  readonly adamW?: Partial<AdamW>;
  readonly threads?: number;
  readonly signal: AbortSignal;
}

/** The state before the first step. */
export function freshState(weights: Float32Array): TrainingState {
  const zeros = () => new Float32Array(weights.length);
  return { step: 0, weights, firstMoment: zeros(), secondMoment: zeros() };
}

/** Loads the graph and its state. Throws MODEL_REFUSED, SHAPE_MISMATCH. */
export async function createTrainer(
  { runtime }: { readonly runtime: Runtime },
  options: TrainerOptions,
): Promise<Trainer> {
  const { graph, initial, statistics = {}, adamW = {}, threads, signal } = options;
  const names = Object.keys(statistics);
  const program = await runtime.load(graph, {
    signal,
    carry: { ...trainingCarry, ...Object.fromEntries(names.map((name) => [`${name}.next`, name])) },
    ...(threads !== undefined && { threads }),
  });
  try {
    await program.write('w', vector(initial.weights));
    await program.write('m', vector(initial.firstMoment));
    await program.write('v', vector(initial.secondMoment));
    await writeAll(program, statistics);
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  let { step } = initial;
  return {
    async step(batch, learningRate, stepSignal) {
      const result = await program.run({ ...batch, ...stepFeeds(step + 1, learningRate, adamW) }, stepSignal);
      step += 1;
      return { step, loss: scalar(result['loss']), gradientNorm: scalar(result['gradientNorm']) };
    },
    weights: () => read(program, 'w'),
    load: (weights) => program.write('w', vector(weights)),
    async state() {
      const [weights, firstMoment, secondMoment] = [
        await read(program, 'w'),
        await read(program, 'm'),
        await read(program, 'v'),
      ];
      return { step, weights, firstMoment, secondMoment };
    },
    async statistics() {
      const now: Record<string, Float32Array> = {};
      for (const name of names) now[name] = await read(program, name);
      return now;
    },
    loadStatistics: (values) => writeAll(program, values),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
    },
  };
}

async function writeAll(program: Program, values: Readonly<Record<string, Float32Array>>): Promise<void> {
  for (const [name, data] of Object.entries(values)) await program.write(name, vector(data));
}

async function read(program: Program, name: string): Promise<Float32Array> {
  return (await program.read(name)).data as Float32Array;
}

function vector(data: Float32Array): Tensor {
  return { type: 'float32', shape: [data.length], data };
}

function scalar(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}
