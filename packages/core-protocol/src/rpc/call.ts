import { PeerAiError } from '../errors.ts';
import type { Channel, Clock, Network, PeerId } from '../ports/index.ts';
import { bounded, orAborted, reasonOf } from '../abort.ts';
import { type Frame, frame, readError } from './frame.ts';
import type { Method } from './method.ts';

export interface CallDeps {
  readonly network: Network;
  readonly clock: Clock;
}
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Multiaddrs to try besides the known ones. */
  readonly addresses?: readonly string[];
}

/**
 * One question, one answer. `method.timeoutMs` bounds the whole call.
 *
 * Throws the code the other side gave (INTERNAL when it failed without one), TIMEOUT, ABORTED, PEER_UNREACHABLE, REFUSED, LIMIT_REACHED,
 * LIMIT_EXCEEDED (question too long), CHANNEL_CLOSED (the answer broke off), INVALID_FORMAT.
 */
export async function callMethod<Request, Response>(
  deps: CallDeps,
  peer: PeerId,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  return bounded(deps.clock, method.timeoutMs, options.signal, async (signal) => {
    const channel = await ask(deps.network, peer, method, request, { ...options, signal });
    try {
      const answer = await nextFrame(channel[Symbol.asyncIterator](), signal);
      if (answer.kind !== 'response') throw refusal(answer);
      const response = method.response.decode(bodyOf(answer));
      await channel.close();
      return response;
    } catch (error) {
      await channel.close('ABORTED');
      throw error;
    }
  });
}

/**
 * One question, answers as they come. `method.timeoutMs` bounds the wait for each next answer, not the whole; leaving the loop early stops
 * the other side. Throws as `callMethod` does.
 */
export async function* streamMethod<Request, Response>(
  deps: CallDeps,
  peer: PeerId,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): AsyncGenerator<Response, void, undefined> {
  const { clock, network } = deps;
  const channel = await bounded(clock, method.timeoutMs, options.signal, (signal) =>
    ask(network, peer, method, request, { ...options, signal }),
  );
  let ended = false;
  const stop = (): void => void channel.close('ABORTED').catch(() => {});
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const frames = channel[Symbol.asyncIterator]();
    for (;;) {
      const answer = await bounded(clock, method.timeoutMs, options.signal, (signal) => nextFrame(frames, signal));
      ended = answer.kind === 'end' || answer.kind === 'error';
      if (answer.kind === 'end') return;
      if (answer.kind !== 'response') throw refusal(answer);
      yield method.response.decode(bodyOf(answer));
    }
  } finally {
    options.signal.removeEventListener('abort', stop);
    await channel.close(...(ended ? [] : ['ABORTED']));
  }
}

async function ask<Request>(
  network: Network,
  peer: PeerId,
  method: Method<Request, unknown>,
  request: Request,
  options: CallOptions,
): Promise<Channel> {
  const body = method.request.encode(request);
  if (options.signal.aborted) throw reasonOf(options.signal);
  const channel = await network.open(peer, method.protocol, options);
  try {
    await orAborted(channel.send(frame.encode({ kind: 'request', body, error: undefined })), options.signal);
    return channel;
  } catch (error) {
    await channel.close('ABORTED');
    throw error;
  }
}

async function nextFrame(frames: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<Frame> {
  const { done, value } = await orAborted(frames.next(), signal);
  if (done) throw new PeerAiError('CHANNEL_CLOSED', 'the answer broke off');
  return frame.decode(value);
}

function refusal(answer: Frame): PeerAiError {
  return answer.kind === 'error'
    ? readError(answer.error)
    : new PeerAiError('INVALID_FORMAT', `an answer was expected, a frame of kind ${answer.kind} came`);
}

function bodyOf(answer: Frame): Uint8Array {
  if (answer.body === undefined) throw new PeerAiError('INVALID_FORMAT', 'a frame without its body');
  return answer.body;
}
