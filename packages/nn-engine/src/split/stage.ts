import { PeerAiError, type Program, type Runtime, type Tensor, type Tensors } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { checkLength } from '../train/layout.ts';
import { trainingCarry, updateGraph } from '../train/training-graph.ts';
import { type CacheRoom, createCacheRoom, openDecoding, type StageAnswer, type StageDecoding } from './decoding.ts';
import { backwardGraph, forwardGraph, stageCarry } from './graphs.ts';
import { layered } from './layered.ts';
import type { Stage } from './plan.ts';

/** What one stage's backward pass tells the others; the gradient itself stays. */
export interface StageGradients {
  /** d loss / d state, for the stage before; the first has none. */
  readonly stateGradient?: Tensor;
  /** For each parameter the sum of its gradient's squares, in the order of the layout. */
  readonly squares: Float32Array;
  /** Nats, of the last stage. */
  readonly loss?: number;
}

/** A stage that can be asked, here or at a peer. Calls are made one after the other. */
export interface StageRunner extends AsyncDisposable {
  /** The next state, or the scores. Throws SHAPE_MISMATCH, ABORTED. */
  forward(feeds: Tensors, signal: AbortSignal): Promise<Tensor>;
  /** Makes the gradient of one step and keeps it until `update`, or until the next call replaces it. */
  backward(feeds: Tensors, signal: AbortSignal): Promise<StageGradients>;
  /** AdamW with the kept gradient, which is gone after it. @param feeds - `shorter` and the scalars of `stepFeeds`. Throws INVALID_OPTION without a gradient. */
  update(feeds: Tensors, signal: AbortSignal): Promise<void>;
  /** The stage's part of the model's vector. Throws INVALID_OPTION where the stage was opened to decode. */
  weights(signal: AbortSignal): Promise<Float32Array>;
  /** An answer, token by token; what is kept of it goes when it is disposed. Its calls throw INVALID_OPTION unless the stage was opened to decode. */
  begin(): StageAnswer;
}

/** `answer`: whole batches, nothing is kept. `learn`: also backwards, with moments. `decode`: answers token by token, whose keys and values are kept. */
export type StageMode = 'answer' | 'learn' | 'decode';

export interface StageOptions {
  readonly stage: Stage;
  /** As long as the stage's layout; copied. */
  readonly weights: Float32Array;
  /** `learn` keeps two moments and one gradient besides the weights; they begin as zeros. */
  readonly mode: StageMode;
  readonly threads?: number;
  readonly signal: AbortSignal;
}

export interface StageDeps {
  readonly runtime: Runtime;
  /** Where the caches of several stages share their bytes; a stage of one's own needs none. */
  readonly room?: CacheRoom;
}

/** Loads a stage into a runtime. Throws SHAPE_MISMATCH, MODEL_REFUSED, ABORTED, and INVALID_OPTION to decode what is no language model. */
export async function openStage(
  { runtime, room = createCacheRoom(Infinity) }: StageDeps,
  { stage, weights, mode, threads = 1, signal }: StageOptions,
): Promise<StageRunner> {
  checkLength({ layout: stage.layout, weights }, `stage ${stage.index}`);
  if (mode === 'decode') return decodes(await openDecoding({ runtime, room }, { stage, weights, threads, signal }));
  await using programs = new AsyncDisposableStack();
  const load = async (graph: Uint8Array, carry: Readonly<Record<string, string>>): Promise<Program> => {
    const program = programs.use(await runtime.load(graph, { signal, carry, threads }));
    await program.write('w', vector(weights));
    return program;
  };
  const isLearning = mode === 'learn';
  const backward = isLearning ? await load(backwardGraph(stage), stageCarry) : undefined;
  const update = isLearning ? await load(updateGraph(stage.layout.size), trainingCarry) : undefined;
  const isLast = stage.index === stage.count - 1;
  const forward = isLearning && !isLast ? undefined : await load(forwardGraph(stage), stageCarry);
  const owned = programs.move();
  let gradient: Tensor | undefined;
  const toLearn = (): Program => backward ?? refuse('This stage was opened to answer, not to learn.');
  const stateShape = layered(stage.model).stateShape(stage.to);
  const noGradient = (): Tensor => ({
    type: 'float32',
    shape: stateShape,
    data: new Float32Array(stateShape.reduce((total, size) => total * size, 1)),
  });
  return {
    async forward(feeds, until) {
      const made = await (forward === undefined
        ? toLearn().run({ ...feeds, nextGradient: noGradient() }, until)
        : forward.run(feeds, until));
      return tensor(made, 'next');
    },
    async backward(feeds, until) {
      gradient = undefined;
      const made = await toLearn().run(feeds, until);
      gradient = tensor(made, 'gradient');
      const { stateGradient, loss } = made;
      return {
        squares: Float32Array.from(tensor(made, 'squares').data, Number),
        ...(stateGradient === undefined ? {} : { stateGradient }),
        ...(loss === undefined ? {} : { loss: Number(loss.data[0]) }),
      };
    },
    async update(feeds, until) {
      if (update === undefined || gradient === undefined) refuse('There is no gradient to update with.');
      const kept = gradient;
      gradient = undefined;
      await update.run({ ...feeds, gradient: kept }, until);
      const next = await update.read('w');
      await forward?.write('w', next);
      await backward?.write('w', next);
    },
    weights: async () => Float32Array.from((await (forward ?? toLearn()).read('w')).data, Number),
    begin: () => refuse('This stage was not opened to decode.'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function decodes(decoding: StageDecoding): StageRunner {
  const no = async (): Promise<never> => refuse('This stage was opened to decode.');
  return {
    forward: no,
    backward: no,
    update: no,
    weights: no,
    begin: () => decoding.begin(),
    [Symbol.asyncDispose]: () => decoding[Symbol.asyncDispose](),
  };
}

function tensor(tensors: Tensors, name: string): Tensor {
  return tensors[name] ?? refuse(`The graph gave no ${name}.`);
}

function refuse(text: string): never {
  throw new PeerAiError<NnErrorCode>('INVALID_OPTION', text);
}

function vector(data: Float32Array): Tensor {
  return { type: 'float32', shape: [data.length], data };
}
