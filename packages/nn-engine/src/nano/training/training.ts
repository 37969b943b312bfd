import { PeerAiError, type Runtime, type Tensors } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { add, type Graph, type Value } from '../../graph/index.ts';
import { initialWeights, languageModelLoss, type Parameters } from '../../models/language-model.ts';
import { seededUnit } from '../../train/random.ts';
import { createTrainer, freshState, type StepResult, type TrainingState } from '../../train/trainer.ts';
import { trainingGraph } from '../../train/training-graph.ts';
import type { Corpus } from '../corpus-types.ts';
import { hashText } from '../hash.ts';
import { listenerLoss } from '../listener.ts';
import { type NanoBatch, nanoLayout, type NanoSizes, pieceCount } from '../sizes.ts';
import { createTokenizer, type Tokenizer, type Vocabulary } from '../tokenizer.ts';
import { questionBatch, recitalBatch } from './batches.ts';
import { createSampler, sampleRecipe, type SampleRecipe } from './samples.ts';
import { learningRateAt } from './schedule.ts';
import { corpusVocabulary } from './vocabulary.ts';

/** Everything a run needs to go on as if it had not stopped. */
export interface NanoCheckpoint {
  readonly state: TrainingState;
  /** Exponential moving average of the weights: what is exported. */
  readonly average: Float32Array;
  readonly vocabulary: Vocabulary;
  /** The random generator's word before the next batch was drawn. */
  readonly randomWord: number;
  readonly corpusHash: number;
  readonly sizes: NanoSizes;
  readonly steps: number;
}

export interface NanoTrainingOptions {
  readonly corpus: Corpus;
  readonly sizes: NanoSizes;
  readonly batch: NanoBatch;
  /** Steps of the whole run: the learning rate falls towards its end. */
  readonly steps: number;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly resume?: NanoCheckpoint;
  /** The measured recipe by default. */
  readonly recipe?: SampleRecipe;
  readonly learningRatePeak?: number;
}

export interface NanoTraining extends AsyncDisposable {
  readonly tokenizer: Tokenizer;
  /** Steps done, those before a resume included. */
  readonly step: number;
  next(signal: AbortSignal): Promise<StepResult>;
  checkpoint(): Promise<NanoCheckpoint>;
}

/** The average follows the weights every ten steps, over about the last hundred. */
const averageEverySteps = 10;
const averageKeep = 0.9;

export function corpusHashOf(corpus: Corpus): number {
  return hashText(JSON.stringify([corpus.intents, corpus.unrelated.train, corpus.refusal]));
}

/** Trains the nano model step by step. Throws INVALID_FORMAT when the checkpoint is of another corpus, size or length. */
export async function createNanoTraining(
  { runtime }: { readonly runtime: Runtime },
  options: NanoTrainingOptions,
): Promise<NanoTraining> {
  const { corpus, sizes, batch, steps, threads, signal, resume } = options;
  const corpusHash = corpusHashOf(corpus);
  if (resume !== undefined) checkResume(resume, options, corpusHash);
  const random = seededUnit(options.seed);
  const vocabulary = resume?.vocabulary ?? corpusVocabulary(corpus, pieceCount(sizes), random);
  const initial = resume?.state ?? freshState(freshWeights(sizes, random));
  const draws = resume === undefined ? random : seededUnit(resume.randomWord);
  const tokenizer = createTokenizer(vocabulary);
  const { recipe = sampleRecipe } = options;
  const sampler = createSampler(corpus, tokenizer, sizes, draws, recipe);
  const drawBatch = (): Tensors => ({
    ...recitalBatch(batch, () => sampler.recital()),
    ...questionBatch(sizes, batch.heard, () => sampler.question(), recipe, draws),
  });
  const graph = trainingGraph({ layout: nanoLayout(sizes), loss: nanoLoss(sizes, batch) });
  const trainer = await createTrainer({ runtime }, { graph, initial, threads, signal });

  const average = Float32Array.from(resume?.average ?? initial.weights);
  let { step } = initial;
  let randomWord = draws.state();
  let ready = drawBatch();
  return {
    tokenizer,
    get step() {
      return step;
    },
    async next(stepSignal) {
      const running = trainer.step(ready, learningRateAt(step + 1, steps, options.learningRatePeak), stepSignal);
      // The next batch is drawn while this one is computed.
      const [before, following] = [draws.state(), drawBatch()];
      const result = await running;
      [randomWord, ready, step] = [before, following, result.step];
      if (step % averageEverySteps === 0) follow(average, await trainer.weights());
      return result;
    },
    async checkpoint() {
      return {
        state: await trainer.state(),
        average: average.slice(),
        vocabulary,
        randomWord,
        corpusHash,
        sizes,
        steps,
      };
    },
    async [Symbol.asyncDispose]() {
      await trainer[Symbol.asyncDispose]();
    },
  };
}

/** Both parts learn in one step: the sum of their losses, in nats. */
function nanoLoss(sizes: NanoSizes, batch: NanoBatch) {
  return (graph: Graph, parameters: Parameters): Value =>
    add(languageModelLoss(sizes, batch)(graph, parameters), listenerLoss(sizes, batch.heard)(graph, parameters));
}

/** The listener begins with zeros: all topics alike. */
function freshWeights(sizes: NanoSizes, random: () => number): Float32Array {
  const weights = new Float32Array(nanoLayout(sizes).size);
  weights.set(initialWeights(sizes, random));
  return weights;
}

function follow(average: Float32Array, weights: Float32Array): void {
  for (let index = 0; index < average.length; index += 1) {
    average[index] = averageKeep * (average[index] as number) + (1 - averageKeep) * (weights[index] as number);
  }
}

function checkResume(resume: NanoCheckpoint, options: NanoTrainingOptions, corpusHash: number): void {
  const differs = [
    ['corpus', resume.corpusHash !== corpusHash],
    ['sizes', JSON.stringify(resume.sizes) !== JSON.stringify(options.sizes)],
    ['steps', resume.steps !== options.steps],
  ].find(([, different]) => different);
  if (differs === undefined) return;
  const [what] = differs;
  throw new PeerAiError<NnErrorCode>(
    'INVALID_FORMAT',
    `The checkpoint was made with other ${String(what)}; start a new run.`,
    { what },
  );
}
