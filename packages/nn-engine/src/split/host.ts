import {
  type Channel,
  type Clock,
  type CryptoProvider,
  type Network,
  orAborted,
  PeerAiError,
  type PeerId,
  type Runtime,
  type Tensor,
  type Tensors,
  toHex,
} from '@peerai/core-protocol';
import { fetchBlob } from '@peerai/core-protocol/blob';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createCacheRoom, type StageAnswer } from './decoding.ts';
import { createLearningRoom } from './learning-room.ts';
import { answerForm, decodeOpen, type OpenStage, questionForm, stageHash, type StageQuestion } from './messages.ts';
import type { Stage } from './plan.ts';
import { stageProtocol } from './protocol.ts';
import { openStage, type StageRunner } from './stage.ts';
import { type ActivationForm, packTensors, unpackTensors } from './tensors.ts';
import { packWeights, unpackWeights, weightsProtocol } from './weights.ts';

export interface StageHostDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly runtime: Runtime;
}
export interface StageHostOptions {
  /** Whether this peer may use this stage here, asked at each opening before anything is fetched or loaded. */
  readonly mayUse: (peer: PeerId, stage: Stage, mode: OpenStage['mode']) => boolean | Promise<boolean>;
  /** Whether weights that are not offered here are fetched from the peer that opens, as a blob. Default false. */
  readonly fetchesWeights?: boolean;
  /** Where fetched weights stay for the next opening; without it they are fetched each time, as are those to learn from, which are other ones then. */
  readonly kept?: KeptWeights;
  /** Hears what went wrong here and was told as INTERNAL. */
  readonly onError?: (error: unknown) => void;
}
/** Weights of stages by their SHA-256, as they came. */
export interface KeptWeights {
  /** Undefined for what is not there, or was changed where it lies. */
  get(sha256: Uint8Array): Promise<Uint8Array | undefined>;
  /** Asked before anything is fetched. Throws LIMIT_EXCEEDED for more bytes than there is ever room for. */
  admit(bytes: number): void;
  put(sha256: Uint8Array, bytes: Uint8Array): Promise<void>;
}
export interface StageHost extends Disposable {
  /** Answers for a stage with these weights, which are held and not copied. Returns its hash. Throws LIMIT_REACHED above `limits.stagesOfferedMax`. */
  offer(stage: Stage, weights: Float32Array): Uint8Array;
  /** Takes an offer back; who has the stage open goes on. */
  withdraw(hash: Uint8Array): void;
}

/** Answers `/peerai/stage/1` until disposed. Each channel has a stage of its own, which ends with it. */
export function serveStages(deps: StageHostDeps, options: StageHostOptions): StageHost {
  const host = createStageHost(deps, options);
  const answering = deps.network.answer(stageProtocol, (channel) => host.answer(channel));
  return { ...host, [Symbol.dispose]: () => answering[Symbol.dispose]() };
}

/** The same for whoever answers the protocol itself: `answer` takes one channel to its end. */
export function createStageHost(
  deps: StageHostDeps,
  options: StageHostOptions,
): Omit<StageHost, typeof Symbol.dispose> & { answer(channel: Channel): Promise<void> } {
  const { clock, crypto } = deps;
  const { mayUse, fetchesWeights = false, kept, onError } = options;
  const offers = new Map<string, Float32Array>();
  const room = createCacheRoom(limits.stageCacheBytesMax);
  const learning = createLearningRoom();
  let open = 0;
  const weightsOf = async (wanted: OpenStage, peer: PeerId, signal: AbortSignal): Promise<Float32Array> => {
    const offered = offers.get(toHex(stageHash(crypto, wanted)));
    if (offered !== undefined) return offered;
    if (!fetchesWeights) throw new PeerAiError('NOT_FOUND', 'This stage is not offered here.');
    const before = await kept?.get(wanted.weights);
    if (before !== undefined) return unpackWeights(before);
    const bytesMax = 4 * wanted.stage.layout.size;
    const keeps = wanted.mode === 'learn' ? undefined : kept;
    keeps?.admit(bytesMax);
    const fetched = await fetchBlob(deps, peer, wanted.weights, { signal, bytesMax, protocol: weightsProtocol });
    await keeps?.put(wanted.weights, fetched);
    return unpackWeights(fetched);
  };
  const allowed = async (first: Uint8Array, { link, signal }: Channel): Promise<OpenStage> => {
    const wanted = decodeOpen(first);
    if (await orAborted(Promise.resolve(mayUse(link.peer, wanted.stage, wanted.mode)), signal)) return wanted;
    throw new PeerAiError('REFUSED', 'This peer may not use this stage here.');
  };
  const serveOne = async (channel: Channel): Promise<void> => {
    if (open >= limits.stagesOpenMax) throw tooMany('stages are open here');
    open += 1;
    try {
      const messages = channel[Symbol.asyncIterator]();
      const first = await next(messages, clock.deadline(limits.stageCallMs, channel.signal));
      if (first === undefined) return;
      const wanted = await allowed(first, channel);
      const { stage, mode } = wanted;
      using _ = mode === 'learn' ? learning.take(stage) : undefined;
      const { link, signal } = channel;
      const weights = await weightsOf(wanted, link.peer, signal);
      await using runner = await openStage({ ...deps, room }, { stage, weights, mode, signal });
      using answers = answersOf(runner);
      await channel.send(answerForm.encode({ tensors: [], error: undefined }));
      await serve(channel, messages, { runner, answers, formOf: formsOf(wanted), onError });
    } finally {
      open -= 1;
    }
  };
  return {
    async answer(channel) {
      try {
        await serveOne(channel);
      } catch (error) {
        if (channel.signal.aborted) return;
        await channel.send(describe(error, onError));
      }
      await channel.close();
    },
    offer(stage, weights) {
      const hash = stageHash(crypto, { stage, weights: crypto.sha256(packWeights(weights)) });
      if (offers.size >= limits.stagesOfferedMax && !offers.has(toHex(hash))) throw tooMany('stages are offered here');
      offers.set(toHex(hash), weights);
      return hash;
    },
    withdraw: (hash) => void offers.delete(toHex(hash)),
  };
}

/** Scores are no activation: nothing comes after them that would forgive a rounded one. */
const formsOf =
  ({ stage: { index, count }, activations }: OpenStage): Served['formOf'] =>
  (kind) =>
    index === count - 1 && (kind === 'forward' || kind === 'extend') ? 'float32' : activations;

interface Served {
  readonly runner: StageRunner;
  readonly answers: DriversAnswers;
  readonly formOf: (kind: StageQuestion['kind']) => ActivationForm;
  readonly onError: StageHostOptions['onError'];
}

/** Each question's answer; what goes wrong in one is its answer, and the next may be right. */
async function serve(channel: Channel, messages: AsyncIterator<Uint8Array>, served: Served): Promise<void> {
  const { runner, answers, formOf, onError } = served;
  for (;;) {
    const message = await next(messages, channel.signal);
    if (message === undefined) return;
    const question = questionForm.decode(message);
    if (question.kind === 'forget') {
      answers.forget(question.answer);
      continue;
    }
    try {
      const tensors =
        question.kind === 'extend'
          ? { next: await answers.extend(question, channel.signal) }
          : await ask(runner, { ...question, kind: question.kind }, channel.signal);
      await channel.send(answerForm.encode({ tensors: packTensors(tensors, formOf(question.kind)), error: undefined }));
    } catch (error) {
      if (channel.signal.aborted) throw error;
      await channel.send(describe(error, onError));
    }
  }
}

/** What is kept of a driver's answers, by its numbers. */
interface DriversAnswers extends Disposable {
  extend(question: StageQuestion, signal: AbortSignal): Promise<Tensor>;
  forget(answer: number | undefined): void;
}

function answersOf(runner: StageRunner): DriversAnswers {
  const all = new Map<number, StageAnswer>();
  const forget = (answer: number): void => {
    all.get(answer)?.[Symbol.dispose]();
    all.delete(answer);
  };
  return {
    async extend({ answer, past, tensors }, signal) {
      const { rows } = unpackTensors(tensors);
      if (answer === undefined || past === undefined || rows === undefined)
        throw new PeerAiError('INVALID_FORMAT', 'An answer is extended by rows behind those before.');
      const known = all.get(answer);
      if (known !== undefined) return await known.extend(past, rows, signal);
      const begun = runner.begin();
      all.set(answer, begun);
      try {
        return await begun.extend(past, rows, signal);
      } catch (error) {
        forget(answer);
        throw error;
      }
    },
    forget: (answer) => forget(answer ?? 0),
    [Symbol.dispose]() {
      for (const answer of all.keys()) forget(answer);
    },
  };
}

type WholeQuestion = StageQuestion & { readonly kind: Exclude<StageQuestion['kind'], 'extend' | 'forget'> };

async function ask(
  runner: StageRunner,
  { kind, tensors, offset = 0 }: WholeQuestion,
  signal: AbortSignal,
): Promise<Tensors> {
  const feeds = unpackTensors(tensors);
  if (kind === 'forward') return { next: await runner.forward(feeds, signal) };
  if (kind === 'update') {
    await runner.update(feeds, signal);
    return {};
  }
  if (kind === 'weights') {
    const data = (await runner.weights(signal)).subarray(offset, offset + limits.stageActivationBytesMax / 4);
    return { weights: { type: 'float32', shape: [data.length], data } };
  }
  const { squares, stateGradient, loss } = await runner.backward(feeds, signal);
  return {
    squares: { type: 'float32', shape: [squares.length], data: squares },
    ...(stateGradient === undefined ? {} : { stateGradient }),
    ...(loss === undefined ? {} : { loss: { type: 'float32', shape: [], data: Float32Array.of(loss) } }),
  };
}

async function next(messages: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const { done, value } = await orAborted(messages.next(), signal);
  return done ? undefined : value;
}

/** Ours with its code, anything else without a word of its own. */
function describe(error: unknown, onError: StageHostOptions['onError']): Uint8Array {
  if (!PeerAiError.is(error)) onError?.(error);
  const told = PeerAiError.is(error)
    ? { code: error.code, message: error.message.slice(0, limits.stageErrorCharsMax) }
    : { code: 'INTERNAL', message: 'The host failed.' };
  return answerForm.encode({ tensors: [], error: told });
}

const tooMany = (what: string): PeerAiError<NnErrorCode> =>
  new PeerAiError<NnErrorCode>('LIMIT_REACHED', `As many ${what} as may be.`);
