import {
  type Channel,
  type Clock,
  type Network,
  orAborted,
  PeerAiError,
  type PeerId,
  type Tensor,
  type Tensors,
} from '@peerai/core-protocol';

import { limits } from '../limits.ts';
import { createTurns } from '../turns.ts';
import { answerForm, encodeOpen, type OpenStage, questionForm, type StageQuestion } from './messages.ts';
import type { Stage } from './plan.ts';
import { stageProtocol } from './protocol.ts';
import type { StageRunner } from './stage.ts';
import { packTensors, unpackTensors } from './tensors.ts';

export interface StageDriverDeps {
  readonly network: Network;
  readonly clock: Clock;
}

/**
 * A stage at a peer, over one channel that is kept. A call that is stopped or takes longer than `limits.stageCallMs` closes the channel, which stops
 * the work there; so every call after it throws CHANNEL_CLOSED. Only `extend` may be stopped without that: other answers have their caches there, and what
 * it computes is one step.
 *
 * Throws what the host says (REFUSED, NOT_FOUND, LIMIT_REACHED, SHAPE_MISMATCH …), PEER_UNREACHABLE, CHANNEL_CLOSED, TIMEOUT, ABORTED, INVALID_FORMAT,
 * LIMIT_EXCEEDED.
 */
export async function openRemoteStage(
  { network, clock }: StageDriverDeps,
  peer: PeerId,
  wanted: OpenStage,
  signal: AbortSignal,
): Promise<StageRunner> {
  const channel = await within(clock, signal, (until) => network.open(peer, stageProtocol, { signal: until }));
  const messages = channel[Symbol.asyncIterator]();
  const inTurn = createTurns();
  const exchange = (message: Uint8Array, until: AbortSignal): Promise<Tensors> =>
    inTurn(() => within(clock, until, (bound) => askOnce(channel, messages, message, bound)));
  const encode = (kind: StageQuestion['kind'], feeds: Tensors, more: Partial<StageQuestion> = {}): Uint8Array =>
    questionForm.encode({ ...none, ...more, kind, tensors: packTensors(feeds, wanted.activations) });
  const ask = (kind: StageQuestion['kind'], feeds: Tensors, until: AbortSignal, offset?: number): Promise<Tensors> =>
    exchange(encode(kind, feeds, { offset }), until);
  let answers = 0;
  await exchange(encodeOpen(wanted), signal);
  return {
    forward: async (feeds, until) => need(await ask('forward', feeds, until), 'next'),
    async backward(feeds, until) {
      const made = await ask('backward', feeds, until);
      const { stateGradient, loss } = made;
      return {
        squares: floats(made, 'squares'),
        ...(stateGradient === undefined ? {} : { stateGradient }),
        ...(loss === undefined ? {} : { loss: Number(loss.data[0]) }),
      };
    },
    async update(feeds, until) {
      await ask('update', feeds, until);
    },
    async weights(until) {
      const { size } = wanted.stage.layout;
      const whole = new Float32Array(size);
      for (let place = 0; place < size;) {
        const piece = floats(await ask('weights', {}, until, place), 'weights');
        if (piece.length === 0 || place + piece.length > size) throw invalid('A piece does not fit the weights.');
        whole.set(piece, place);
        place += piece.length;
      }
      return whole;
    },
    begin() {
      answers += 1;
      const answer = answers;
      let isBegun = false;
      return {
        async extend(past, rows, until) {
          isBegun = true;
          // Ends by itself, and its answer is taken off the channel, whoever still waits for it.
          const made = exchange(encode('extend', { rows }, { answer, past }), channel.signal);
          made.catch(() => undefined);
          return fitting(need(await orAborted(made, until), 'next'), wanted.stage, rows);
        },
        [Symbol.dispose]() {
          if (isBegun) channel.send(encode('forget', {}, { answer })).catch(() => undefined);
        },
      };
    },
    [Symbol.asyncDispose]: () => channel.close(),
  };
}

const none = { offset: undefined, answer: undefined, past: undefined };

async function askOnce(
  channel: Channel,
  messages: AsyncIterator<Uint8Array>,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Tensors> {
  let answered = false;
  try {
    await orAborted(channel.send(message), signal);
    const { done, value } = await orAborted(messages.next(), signal);
    if (done) throw new PeerAiError('CHANNEL_CLOSED', 'The stage’s answer broke off.');
    const { tensors, error } = answerForm.decode(value);
    const made = unpackTensors(tensors);
    answered = true;
    if (error !== undefined)
      throw new PeerAiError(codeOf(error.code), error.message.slice(0, limits.stageErrorCharsMax));
    return made;
  } catch (error) {
    if (!answered) await channel.close('ABORTED');
    throw error;
  }
}

/**
 * The work's result within one call's time; leaves no timer behind. The caller's signal is listened to for this call alone: a combined one costs as much as
 * the message, and so does an abort without a reason of its own.
 */
async function within<T>(clock: Clock, signal: AbortSignal, work: (until: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const stop = (): void => ended.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(clock.deadline(limits.stageCallMs, ended.signal));
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort(isOver);
  }
}

const isOver = new PeerAiError('ABORTED', 'The call is over.');
const codeOf = (code: string): string => (/^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'INTERNAL');
const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);

function need(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw invalid(`The stage’s answer has no ${name}.`);
  return tensor;
}

/** What a peer says is looked at here, so that the peer is at fault and not whoever gets it next. */
function fitting(next: Tensor, { model, index, count }: Stage, { shape: [rows = 0] }: Tensor): Tensor {
  if (model.type !== 'language-model') throw invalid('Only language models answer token by token.');
  const { vocabulary, width } = model.sizes;
  const shape = index === count - 1 ? [1, vocabulary] : [rows, width];
  if (next.type !== 'float32' || next.shape.join() !== shape.join())
    throw invalid(`The stage’s answer is ${next.type} [${next.shape.join(', ')}], not [${shape.join(', ')}].`);
  return next;
}

function floats(tensors: Tensors, name: string): Float32Array {
  const { data } = need(tensors, name);
  if (!(data instanceof Float32Array)) throw invalid(`${name} is not float32.`);
  return data;
}
