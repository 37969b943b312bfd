import { PeerAiError } from '../errors.ts';
import type { Channel, Clock, Link, Network, PeerId } from '../ports/index.ts';
import { bounded, orAborted, reasonOf } from '../abort.ts';
import type { Codec } from '../wire/index.ts';
import { describeError, frame } from './frame.ts';
import type { Method } from './method.ts';

/** Who asks, over which link, and until when: the signal fires when the caller has gone. */
export interface CallContext {
  readonly peer: PeerId;
  readonly link: Link;
  readonly signal: AbortSignal;
}
export type MethodHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response> | AsyncIterable<Response>;

/**
 * Answers a method until disposed. A PeerAiError that the handler throws travels with its code, message and JSON details; anything else
 * becomes INTERNAL and says nothing. A caller that goes aborts `context.signal`, and an iterable is told to return.
 *
 * @param options - `clock`: then a caller who opens a channel and asks nothing is dropped after `method.timeoutMs`; without it the channel
 *   waits, bounded by `channelsPerPeerMax`. `onError`: hears what became INTERNAL.
 */
export function serveMethod<Request, Response>(
  network: Network,
  method: Method<Request, Response>,
  handler: MethodHandler<Request, Response>,
  options: { readonly clock?: Clock; readonly onError?: (error: unknown) => void } = {},
): Disposable {
  return network.answer(method.protocol, async (channel) => {
    try {
      const request = await readRequest(channel, method, options.clock);
      const { link, signal } = channel;
      const answer = handler(request, { peer: link.peer, link, signal });
      if (isIterable(answer)) await sendAll(channel, method.response, answer);
      else await sendBody(channel, method.response, await orAborted(answer, signal));
    } catch (error) {
      if (!PeerAiError.is(error)) options.onError?.(error);
      if (channel.signal.aborted) return;
      await channel.send(frame.encode({ kind: 'error', body: undefined, error: describeError(error) }));
    }
    await channel.close();
  });
}

async function readRequest<Request>(
  channel: Channel,
  method: Method<Request, unknown>,
  clock: Clock | undefined,
): Promise<Request> {
  const read = (signal: AbortSignal): Promise<IteratorResult<Uint8Array>> =>
    orAborted(channel[Symbol.asyncIterator]().next(), signal);
  const first = await (clock === undefined
    ? read(channel.signal)
    : bounded(clock, method.timeoutMs, channel.signal, read));
  if (first.done) throw new PeerAiError('INVALID_FORMAT', 'the channel was opened and nothing was asked');
  const { kind, body } = frame.decode(first.value);
  if (kind !== 'request' || body === undefined) throw new PeerAiError('INVALID_FORMAT', 'the first frame is a request');
  return method.request.decode(body);
}

async function sendAll<Response>(
  channel: Channel,
  codec: Codec<Response>,
  answers: AsyncIterable<Response>,
): Promise<void> {
  const iterator = answers[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await orAborted(iterator.next(), channel.signal);
      if (done) break;
      await sendBody(channel, codec, value);
    }
  } catch (error) {
    // A generator that still waits inside `next` hears of it through the signal; its `return` would only queue behind that.
    void Promise.resolve(iterator.return?.()).catch(() => {});
    throw channel.signal.aborted ? reasonOf(channel.signal) : error;
  }
  await channel.send(frame.encode({ kind: 'end', body: undefined, error: undefined }));
}

async function sendBody<Response>(channel: Channel, codec: Codec<Response>, value: Response): Promise<void> {
  await channel.send(frame.encode({ kind: 'response', body: codec.encode(value), error: undefined }));
}

function isIterable<T>(answer: Promise<T> | AsyncIterable<T>): answer is AsyncIterable<T> {
  return Symbol.asyncIterator in answer;
}
