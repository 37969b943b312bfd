import {
  type Admission,
  type Channel,
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  type Logger,
  type Network,
  PeerAiError,
  type PeerId,
} from '@peerai/core-protocol';
import { findModel } from '../engines/engine.ts';
import { llmError } from '../errors.ts';
import { withDeadline } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import type { Attest } from '../proof/attest.ts';
import { createFairQueue, type FairQueue } from './fair-queue.ts';
import { startJob } from './job.ts';
import { createJobTable, type Entry, type JobTable } from './job-table.ts';
import { clientFrame, encodeProviderFrame, modelProtocol } from './protocol.ts';
import { type Question, questionDigest, readQuestion } from './question.ts';
import { sendAnswer, tellError } from './send-answer.ts';
import { unknownModel } from './unknown-model.ts';
import { toWireError } from './wire-error.ts';

export interface ServeModelsDeps {
  readonly network: Network;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly logger: Logger;
  /** Our own engines' models, as they are now. Which peer may have which is `admission`'s to say. */
  readonly models: () => readonly LanguageModel[];
  /** Names that `models` does not list (`lorem-57`). */
  readonly model?: (name: string) => LanguageModel | undefined;
  /** Shared with the embeddings and `/llama/1.0.0`, so that all wait in one queue; absent: one of its own. */
  readonly queue?: FairQueue;
  /** Signs what a deterministic model answered (`attestAnswers` of `/proof`); absent: answers go without a statement. */
  readonly attest?: Attest;
}
export interface ServeModelsOptions {
  /** Answers at once, over all peers. Default `limits.concurrencyDefault`. */
  readonly concurrency?: number;
  readonly queueLengthMax?: number;
  readonly queuePerPeerMax?: number;
  /** What is made of a peer, 0 to 1: decides who waits where the queue is full; without it all are alike. */
  readonly standing?: (peer: PeerId) => number;
}
/** What is served right now, for people and metrics. */
export interface SharedModels extends Disposable {
  readonly running: number;
  readonly waiting: number;
  /** Requests known by their id: running, waiting, and ended ones kept for a client that comes back. */
  readonly known: number;
}

export function createModelQueue(clock: Clock, options: ServeModelsOptions = {}): FairQueue {
  return createFairQueue(clock, {
    concurrency: options.concurrency ?? limits.concurrencyDefault,
    lengthMax: options.queueLengthMax ?? limits.queueLengthMax,
    perPeerMax: options.queuePerPeerMax ?? limits.queuePerPeerMax,
    ...(options.standing === undefined ? {} : { standing: options.standing }),
  });
}

/** Answers `/peerai/model/1` until disposed: admission, fair queue, engine, receipt. See docs/protocol/model-share.md. */
export function serveModels(deps: ServeModelsDeps, options: ServeModelsOptions = {}): SharedModels {
  const queue = deps.queue ?? createModelQueue(deps.clock, options);
  const table = createJobTable(deps.clock);
  const answering = deps.network.answer(modelProtocol, (channel) => serve({ ...deps, queue }, table, channel));
  return {
    get running() {
      return queue.running;
    },
    get waiting() {
      return queue.waiting;
    },
    get known() {
      return table.size;
    },
    [Symbol.dispose]() {
      table.stop();
      answering[Symbol.dispose]();
    },
  };
}

type Deps = ServeModelsDeps & { readonly queue: FairQueue };

async function serve(deps: Deps, table: JobTable, channel: Channel): Promise<void> {
  const frames = channel[Symbol.asyncIterator]();
  try {
    const question = await firstQuestion(deps.clock, channel, frames);
    const entry = await findOrStart(deps, table, channel, question);
    await read(deps, table, entry, question, channel, frames);
  } catch (error) {
    if (channel.signal.aborted) return;
    if (!PeerAiError.is(error))
      deps.logger.error('share-failed', { error: error instanceof Error ? error.name : typeof error });
    await tellError(deps.clock, channel, encodeProviderFrame({ kind: 'error', error: toWireError(error) }));
  }
  await channel.close();
}

async function firstQuestion(clock: Clock, channel: Channel, frames: AsyncIterator<Uint8Array>): Promise<Question> {
  const { done, value } = await withDeadline(clock, limits.firstFrameMs, channel.signal, () => frames.next());
  if (done) throw new PeerAiError('INVALID_FORMAT', 'the channel was opened and nothing was asked');
  const { ask } = clientFrame.decode(value);
  if (ask === undefined) throw new PeerAiError('INVALID_FORMAT', 'the first frame is an ask');
  return readQuestion(ask);
}

async function findOrStart(deps: Deps, table: JobTable, { link }: Channel, question: Question): Promise<Entry> {
  const digest = questionDigest(deps.crypto, question);
  const known = table.find(link.peer, question.requestId);
  if (known !== undefined) {
    if (known.digest === digest) return known;
    throw llmError('REQUEST_ID_REUSED', 'another question came with this request id');
  }
  if (question.resumeOffset > 0) throw llmError('RESUME_GONE', 'this answer is not kept any more');
  const model = findModel(deps.models(), question.model) ?? deps.model?.(question.model);
  if (model === undefined) throw await unknownModel(deps, { peer: link.peer, ...question });
  return table.add(link.peer, question.requestId, digest, startJob(deps, link.peer, model, question));
}

/** Sends the answer from the client's offset on, and hears what the client says meanwhile. */
async function read(
  deps: Deps,
  table: JobTable,
  entry: Entry,
  { resumeOffset }: Question,
  channel: Channel,
  frames: AsyncIterator<Uint8Array>,
): Promise<void> {
  const reader = table.attach(entry);
  const signal = AbortSignal.any([reader, channel.signal]);
  const countersigned = Promise.withResolvers<void>();
  countersigned.promise.catch(() => undefined);
  const wrong = new AbortController();
  hear(entry, frames, countersigned).catch((error: unknown) => {
    if (!channel.signal.aborted) wrong.abort(error);
  });
  try {
    await sendAnswer(deps.clock, channel, entry.job.transcript, resumeOffset, AbortSignal.any([signal, wrong.signal]));
    if (entry.job.transcript.ending?.finish !== undefined) {
      await withDeadline(deps.clock, limits.countersignMs, signal, () => countersigned.promise).catch(() =>
        deps.logger.info('receipt-open', { peer: entry.peer }),
      );
    }
  } finally {
    table.detach(entry, reader, wrong.signal.aborted || closedOnPurpose(channel.signal));
  }
}

/** The client's words after its ask. Throws INVALID_FORMAT, INVALID_SIGNATURE. */
async function hear(
  { job }: Entry,
  frames: AsyncIterator<Uint8Array>,
  countersigned: PromiseWithResolvers<void>,
): Promise<void> {
  for (;;) {
    const { done, value } = await frames.next();
    const frame = done ? undefined : clientFrame.decode(value);
    if (frame?.kind === 'ask') throw new PeerAiError('INVALID_FORMAT', 'one channel carries one ask');
    if (frame?.kind === 'countersigned') {
      await job.countersigned(frame.receipt ?? new Uint8Array());
      return countersigned.resolve();
    }
    // `cancel`, or an end before the answer's: nobody listens any more.
    job.cancel(new PeerAiError('ABORTED', 'the client stopped this'));
    if (done) return countersigned.reject(new PeerAiError('CHANNEL_CLOSED', 'no receipt came'));
  }
}

/** A reset carries a code; a lost link does not. */
function closedOnPurpose({ aborted, reason }: AbortSignal): boolean {
  return aborted && PeerAiError.is(reason) && typeof reason.details['code'] === 'string';
}
