import {
  type Admission,
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  type Logger,
  PeerAiError,
  type PeerId,
  type Reservation,
  type Usage,
  usageBounds,
  utf8,
} from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { createWatchdog, orAborted, reasonOf } from '../flow/abort.ts';
import { limits } from '../limits.ts';
import { estimatePromptTokens } from '../text/tokens.ts';
import type { Attest } from '../proof/attest.ts';
import type { FairQueue } from './fair-queue.ts';
import type { FinishFrame } from './protocol.ts';
import type { Question } from './question.ts';
import { createTranscript, type Transcript, type TranscriptWriter } from './transcript.ts';
import { toWireError } from './wire-error.ts';
import { workHash } from './work.ts';

export interface JobDeps {
  readonly admission: Admission;
  readonly queue: FairQueue;
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly logger: Logger;
  readonly attest?: Attest;
}
/** One request of one peer, from its reservation to its receipt, whoever listens. */
export interface Job {
  readonly transcript: Transcript;
  /** Frees the engine and the place in the queue at once; what was answered so far is settled. */
  cancel(reason: PeerAiError): void;
  /** Throws INVALID_SIGNATURE. */
  countersigned(receipt: Uint8Array): Promise<void>;
  /** Resolves when nothing is held any more: no slot, no place, no open reservation. Never rejects. */
  readonly done: Promise<void>;
}

interface Answered {
  readonly reason: FinishFrame['reason'];
  readonly usage: Usage;
  readonly suggestions?: readonly string[];
}

export function startJob(deps: JobDeps, peer: PeerId, model: LanguageModel, question: Question): Job {
  const transcript = createTranscript();
  const stopping = new AbortController();
  let reservation: Reservation | undefined;

  const run = async (): Promise<void> => {
    const promptTokens = estimatePromptTokens(question.prompt);
    reservation = await deps.admission.reserve({
      peer,
      requestId: question.requestId,
      resource: `model:${model.card.name}`,
      units: promptTokens + question.sampling.maxTokens,
      early: true,
      ...(question.grant === undefined ? {} : { grant: question.grant }),
    });
    const signal = AbortSignal.any([stopping.signal, reservation.revoked]);
    try {
      const fitting = seeded(deps.crypto, model, fit(question, reservation, promptTokens));
      const answered = await answer(deps, peer, model, fitting, transcript, reservation, signal);
      const finish = await settle(deps, question, transcript, reservation, answered);
      const statement = await attested(deps, model, fitting, transcript, answered, signal);
      transcript.end({ type: 'finish', finish: { ...finish, statement } });
    } catch (error) {
      await giveUp(deps, question, transcript, reservation, signal, error);
    }
  };
  const done = run().catch((error: unknown) => {
    if (!PeerAiError.is(error)) deps.logger.error('answer-failed', { model: model.card.name, error: nameOf(error) });
    transcript.end({ type: 'error', error: toWireError(error) });
  });
  return {
    transcript,
    done,
    cancel: (reason) => stopping.abort(reason),
    async countersigned(receipt) {
      if (receipt.length > limits.receiptBytesMax) throw new PeerAiError('LIMIT_EXCEEDED', 'the receipt is too long');
      await reservation?.countersigned(receipt);
    },
  };
}

/** The question with no more answer than the reservation pays for. */
function fit(question: Question, { units }: Reservation, promptTokens: number): Question {
  const maxTokens = Math.min(question.sampling.maxTokens, units - promptTokens);
  if (maxTokens < 1) throw llmError('BUDGET_SPENT', 'the tokens left do not reach for this prompt and an answer');
  return { ...question, sampling: { ...question.sampling, maxTokens } };
}

/** Where a deterministic model draws and was given no seed it gets one that follows from the request: else nobody could ask it again. */
function seeded({ sha256 }: JobDeps['crypto'], { card }: LanguageModel, question: Question): Question {
  const { temperature = 0, seed } = question.sampling;
  if (!card.deterministic || temperature === 0 || seed !== undefined) return question;
  const drawn = new DataView(sha256(utf8(question.requestId)).slice().buffer).getUint32(0) >>> 1;
  return { ...question, sampling: { ...question.sampling, seed: drawn } };
}

async function answer(
  deps: JobDeps,
  peer: PeerId,
  model: LanguageModel,
  question: Question,
  transcript: TranscriptWriter,
  reservation: Reservation,
  signal: AbortSignal,
): Promise<Answered> {
  const entered = new AbortController();
  const waiting = deps.clock.deadline(limits.queueWaitMsMax, AbortSignal.any([signal, entered.signal]));
  const slot = await deps.queue
    .enter(peer, waiting, (position) => transcript.queued(position))
    .catch((error: unknown) => {
      if (signal.aborted || !PeerAiError.is(error, 'TIMEOUT')) throw error;
      throw llmError('QUEUE_FULL', 'this request waited too long', { retryAfterMs: limits.retryAfterMsMax });
    })
    .finally(() => entered.abort());
  try {
    return await generate(deps.clock, model, question, transcript, reservation, signal);
  } finally {
    slot.free();
  }
}

/**
 * The engine into the transcript, at the engine's own pace: a slow reader does not hold the engine. It begins while the reservation is on its
 * way to the disk; nothing is in the transcript, where the peer could see it, before it is there.
 */
async function generate(
  clock: Clock,
  model: LanguageModel,
  { prompt, sampling }: Question,
  transcript: TranscriptWriter,
  { units, durable }: Reservation,
  parent: AbortSignal,
): Promise<Answered> {
  const watchdog = createWatchdog(clock, limits.firstTokenMsMax, () =>
    llmError('ENGINE_FAILED', 'the engine went silent'),
  );
  const signal = AbortSignal.any([parent, watchdog.signal]);
  const parts = model.generate(prompt, sampling, signal)[Symbol.asyncIterator]();
  const cut = (): Answered => ({ reason: 'length', usage: usageSoFar(prompt, transcript) });
  try {
    let next = parts.next();
    next.catch(() => undefined);
    await orAborted(Promise.resolve(durable), signal);
    transcript.accepted(units);
    for (; ; next = parts.next()) {
      const { done, value: part } = await orAborted(next, signal);
      if (done) throw llmError('ENGINE_FAILED', 'the engine ended without a finish');
      watchdog.touch(limits.tokenGapMsMax);
      if (part.type === 'finish') return part;
      if (part.type === 'text-delta' && !transcript.text(part.text)) return cut();
      if (part.type === 'tool-call' && !transcript.call(part)) return cut();
    }
  } finally {
    watchdog.stop();
    // One that still waits inside `next` hears of it through the signal.
    void Promise.resolve(parts.return?.()).catch(() => undefined);
  }
}

async function settle(
  { crypto }: JobDeps,
  question: Question,
  transcript: Transcript,
  reservation: Reservation,
  answered: Answered,
): Promise<FinishFrame> {
  const { prompt } = question;
  const usage = withinReserved(answered.usage, question, reservation.units);
  const hash = workHash(
    crypto,
    prompt,
    transcript.entries.map(({ bytes }) => bytes),
  );
  const receiptHalf = await reservation.settle(usage, hash);
  const suggestions = (answered.suggestions ?? []).slice(0, limits.suggestionsMax);
  const { estimated } = usage;
  return { reason: answered.reason, ...usage, estimated, receiptHalf, suggestions, statement: undefined };
}

/** What this side signs of the answer; none where it does not, or cannot: the answer goes without. */
async function attested(
  { attest, logger }: JobDeps,
  model: LanguageModel,
  { requestId, prompt, sampling }: Question,
  { entries }: Transcript,
  { reason }: Answered,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const answer = entries.map(({ bytes }) => bytes);
  try {
    return await attest?.(model, { requestId, prompt, sampling, answer, reason }, signal);
  } catch (error) {
    logger.info('answer-unattested', { model: model.card.name, error: nameOf(error) });
    return undefined;
  }
}

/** No answer to its end. A client that left, or whose right was taken away, pays for what was made; an engine's failure costs nothing. */
async function giveUp(
  deps: JobDeps,
  question: Question,
  transcript: TranscriptWriter,
  reservation: Reservation,
  signal: AbortSignal,
  error: unknown,
): Promise<void> {
  if (signal.aborted && transcript.length > 0) {
    const usage = usageSoFar(question.prompt, transcript);
    const finish = await settle(deps, question, transcript, reservation, { reason: 'stop', usage }).catch(
      async (cause: unknown) => {
        await reservation.release();
        throw cause;
      },
    );
    return transcript.end({ type: 'error', error: toWireError(reasonOf(signal)), finish });
  }
  await reservation.release();
  throw error;
}

function usageSoFar(prompt: Question['prompt'], { length }: Transcript): Usage {
  return { promptTokens: estimatePromptTokens(prompt), answerTokens: Math.ceil(length / 4), estimated: true };
}

/**
 * Never more than was asked for and reserved, nor more of a prompt than the asker can know of: engines count their own templates and system
 * texts, and a consumer signs for its question alone.
 */
function withinReserved(usage: Usage, { prompt, sampling }: Question, units: number): Usage {
  const bounds = usageBounds(prompt, sampling.maxTokens);
  const answerTokens = Math.min(whole(usage.answerTokens), bounds.answerTokensMax, units);
  const promptTokens = Math.min(whole(usage.promptTokens), bounds.promptTokensMax, units - answerTokens);
  return { promptTokens, answerTokens, ...(usage.estimated === true ? { estimated: true } : {}) };
}

const whole = (count: number): number => (Number.isFinite(count) ? Math.max(0, Math.round(count)) : 0);
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
