import {
  type Channel,
  fromUtf8,
  type LanguageModel,
  PeerAiError,
  type PeerId,
  type Protocol,
  type Random,
  toHex,
  utf8,
} from '@peerai/core-protocol';
import { findModel } from '../engines/engine.ts';
import { llmError } from '../errors.ts';
import { orAborted, withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import type { FairQueue } from '../share/fair-queue.ts';
import { type Job, startJob } from '../share/job.ts';
import type { ErrorFields, FinishFrame } from '../share/protocol.ts';
import { checkPromptBytes } from '../share/question.ts';
import type { ServeModelsDeps } from '../share/serve-models.ts';
import { type LlamaRequest, LlamaRefusal, readRequest } from './request.ts';

/** The first prototype's protocol: JSON until the half-close, JSON or lines of JSON back. See docs/protocol/llama-1.0.0.md. */
export const llamaProtocol: Protocol = {
  id: '/llama/1.0.0',
  access: 'anyone',
  framing: 'raw',
  messageBytesMax: limits.llamaRequestBytesMax,
  channelsPerPeerMax: limits.llamaChannelsPerPeerMax,
};

export interface ServeLlamaDeps extends ServeModelsDeps {
  readonly random: Random;
  readonly queue: FairQueue;
}
export interface ServeLlamaOptions {
  /** The model that is asked when the request names none, which the seed's clients never do. */
  readonly defaultModel: () => LanguageModel | undefined;
  /** The right a key stands for, compared in constant time (`apiKeyTable`); absent or undefined: no such key. Without a key only paired peers are served. */
  readonly apiKeys?: (key: string, peer: PeerId) => Uint8Array | undefined;
  /** Default `limits.llamaConnectionsMax`. */
  readonly connectionsMax?: number;
}

/** Answers `/llama/1.0.0` until disposed, under the same admission and queue as our own protocol. */
export function serveLlama(deps: ServeLlamaDeps, options: ServeLlamaOptions): Disposable {
  const jobs = new Set<Job>();
  let connections = 0;
  const answering = deps.network.answer(llamaProtocol, async (channel) => {
    connections += 1;
    try {
      if (connections > (options.connectionsMax ?? limits.llamaConnectionsMax))
        throw new LlamaRefusal('Connection limit reached');
      await answer(deps, options, jobs, channel, await readRequest(deps.clock, channel));
    } catch (error) {
      if (channel.signal.aborted) return;
      if (!(error instanceof LlamaRefusal) && !PeerAiError.is(error))
        deps.logger.error('llama-failed', { error: error instanceof Error ? error.name : typeof error });
      await send(deps, channel, { success: false, error: sentence(error) }).catch(() => channel.close('TIMEOUT'));
    } finally {
      connections -= 1;
    }
    await channel.close();
  });
  return {
    [Symbol.dispose]() {
      answering[Symbol.dispose]();
      for (const job of jobs) job.cancel(new PeerAiError('REFUSED', 'this peer does not share its models any more'));
    },
  };
}

async function answer(
  deps: ServeLlamaDeps,
  options: ServeLlamaOptions,
  jobs: Set<Job>,
  channel: Channel,
  request: LlamaRequest,
): Promise<void> {
  const grant = request.apiKey === undefined ? undefined : options.apiKeys?.(request.apiKey, channel.link.peer);
  if (request.apiKey !== undefined && grant === undefined) throw new LlamaRefusal('Invalid API key');
  checkPromptBytes(request.prompt);
  const model =
    request.model === undefined
      ? options.defaultModel()
      : (findModel(deps.models(), request.model) ?? deps.model?.(request.model));
  if (model === undefined) throw llmError('MODEL_UNKNOWN', 'Model not found');
  const job = startJob(deps, channel.link.peer, model, {
    requestId: toHex(deps.random.bytes(16)),
    model: model.card.name,
    prompt: request.prompt,
    sampling: request.sampling,
    resumeOffset: 0,
    ...(grant === undefined ? {} : { grant }),
  });
  jobs.add(job);
  try {
    await reply(deps, channel, job, model.card.name, request.stream);
  } finally {
    // No effect on one that has ended; one that was left is stopped.
    job.cancel(new PeerAiError('ABORTED', 'the client is gone'));
    jobs.delete(job);
    await job.done;
  }
}

/** In llama.cpp's shape: all in one, or pieces as lines and the counts with the last. */
async function reply(
  deps: ServeLlamaDeps,
  channel: Channel,
  { transcript }: Job,
  model: string,
  stream: boolean,
): Promise<void> {
  let content = '';
  for (let next = 0; ;) {
    const changed = transcript.changed();
    const entry = transcript.entries[next];
    if (entry !== undefined) {
      next += 1;
      const text = entry.call === undefined ? fromUtf8(entry.bytes) : '';
      if (stream && text !== '') await send(deps, channel, { success: true, data: { content: text, stop: false } });
      else content += text;
    } else if (transcript.ending !== undefined) {
      if (transcript.ending.type === 'error') throw fromWire(transcript.ending.error);
      return send(deps, channel, {
        success: true,
        data: completion(stream ? '' : content, model, transcript.ending.finish),
      });
    } else await orAborted(changed, channel.signal);
  }
}

const completion = (content: string, model: string, { reason, promptTokens, answerTokens }: FinishFrame): object => ({
  content,
  model,
  stop: true,
  tokens_predicted: answerTokens,
  tokens_evaluated: promptTokens,
  truncated: false,
  stopped_eos: reason !== 'length',
  stopped_limit: reason === 'length',
  stop_type: reason === 'length' ? 'limit' : 'eos',
});

const fromWire = ({ code, message }: ErrorFields): PeerAiError => new PeerAiError(code, message);

async function send({ clock }: ServeLlamaDeps, channel: Channel, line: object): Promise<void> {
  const bytes = utf8(`${JSON.stringify(line)}\n`);
  for (let offset = 0; offset < bytes.length; offset += limits.llamaPieceBytes) {
    const piece = bytes.subarray(offset, offset + limits.llamaPieceBytes);
    await withDeadline(clock, limits.readerStallMs, channel.signal, () => channel.send(piece));
  }
}

/** The seed's words where it has some for the case. */
function sentence(error: unknown): string {
  if (error instanceof LlamaRefusal) return error.message;
  if (!PeerAiError.is(error) || error.code === 'INTERNAL') return 'Internal server error';
  if (error.code === 'NOT_GRANTED' || error.code === 'TICKET_INVALID') return 'Invalid API key';
  if (error.code === 'QUEUE_FULL' || error.code === 'TOO_MANY') return 'Connection limit reached';
  return error.message;
}
