import {
  type AnswerPart,
  type Claim,
  type Clock,
  type CryptoProvider,
  type LanguageModel,
  PeerAiError,
  type PeerId,
  type Reservation,
  type Usage,
  usageBounds,
  utf8,
} from '@peerai/core-protocol';
import type { createModelQueue } from '@peerai/llm-bridge';
import { workHash } from '@peerai/llm-bridge/share';
import { limits } from '../limits.ts';
import type { LocalModels } from '../models/local-models.ts';
import type { Models } from '../models/models.ts';
import { type ModelTask, modelTask, modelTaskTypes } from './model-task.ts';
import type { TaskHandler, TaskRun, TaskToRun } from './task-handler.ts';

export interface PromptHandlerDeps {
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly local: Pick<LocalModels, 'find'>;
  readonly models: Pick<Models, 'defaultName' | 'isExposed'>;
  /** Tasks take their turn among the answers for other peers. */
  readonly queue: ReturnType<typeof createModelQueue>;
  /** Books what a task of a paired device uses, for a receipt of both. */
  readonly reserve: (claim: Claim) => Promise<Reservation>;
}

/**
 * Asks a model of this peer that is offered to paired devices. `context.model` names it, `context.max_tokens` bounds the answer, `context.system` is put before. Gives back
 * `{text, model, reason, prompt_tokens, answer_tokens}`. Throws MODEL_UNKNOWN, INVALID_FORMAT, RECEIPT_UNSIGNED and other codes of an admission, what the
 * engine throws.
 */
export function promptHandler(deps: PromptHandlerDeps): TaskHandler {
  return {
    types: modelTaskTypes,
    // An answer has no effect outside; the one that was interrupted was told to nobody.
    repeatable: true,
    async run(task, run) {
      const asked = modelTask(task);
      const model = await deps.local.find(asked.model ?? deps.models.defaultName(), run.signal);
      if (model === undefined || !deps.models.isExposed(model.card.name))
        throw new PeerAiError(
          'MODEL_UNKNOWN',
          `${asked.model === undefined ? 'no model' : `no model ${asked.model}`} is offered here`,
        );
      const slot = await enter(deps, task.peer, run.signal);
      try {
        return await booked(deps, task, asked, model, run);
      } finally {
        slot.free();
      }
    },
  };
}

/**
 * The answer, and its receipt where the giver signs one. What fails or is stopped costs nothing, nor does an answer that is made again after the end
 * of the agent: the first may have been booked.
 */
async function booked(
  deps: PromptHandlerDeps,
  task: TaskToRun,
  { maxTokens, prompt }: ModelTask,
  model: LanguageModel,
  run: TaskRun,
): Promise<object> {
  const generate = (signal: AbortSignal) =>
    answer(model, model.generate(prompt, { maxTokens }, signal), maxTokens, run);
  if (task.receipt !== true || task.attempt > 1) return (await generate(run.signal)).result;
  const { promptTokensMax, answerTokensMax } = usageBounds(prompt, maxTokens);
  const reservation = await deps.reserve({
    peer: task.peer,
    requestId: task.id,
    resource: `model:${model.card.name}`,
    units: promptTokensMax + answerTokensMax,
  });
  try {
    const { result, text, usage } = await generate(AbortSignal.any([run.signal, reservation.revoked]));
    const { promptTokens, answerTokens } = usage;
    const within = {
      ...usage,
      promptTokens: Math.min(promptTokens, promptTokensMax),
      answerTokens: Math.min(answerTokens, answerTokensMax),
    };
    await reservation.settle(within, workHash(deps.crypto, prompt, [utf8(text)]));
    return result;
  } catch (error) {
    await reservation.release();
    throw error;
  }
}

async function answer(
  model: LanguageModel,
  parts: AsyncIterable<AnswerPart>,
  maxTokens: number,
  run: TaskRun,
): Promise<{ readonly result: object; readonly text: string; readonly usage: Usage }> {
  let text = '';
  let tokens = 0;
  for await (const part of parts) {
    if (part.type === 'finish') {
      const { promptTokens, answerTokens } = part.usage;
      const result = {
        text,
        model: model.card.name,
        reason: part.reason,
        prompt_tokens: promptTokens,
        answer_tokens: answerTokens,
      };
      return { result, text, usage: part.usage };
    }
    if (part.type !== 'text-delta') continue;
    text += part.text;
    tokens += 1;
    // How long an answer will be nobody knows; it is never more than this.
    run.progress(Math.min(99, (100 * tokens) / maxTokens), `${tokens} tokens`);
  }
  throw new PeerAiError('ENGINE_FAILED', 'the model ended without an end');
}

/** A turn, however full the line is: a task waits as long as it may run. */
async function enter({ queue, clock }: PromptHandlerDeps, peer: PeerId, signal: AbortSignal) {
  for (;;) {
    try {
      return await queue.enter(peer, signal);
    } catch (error) {
      if (!PeerAiError.is(error, 'QUEUE_FULL')) throw error;
      const { retryAfterMs } = error.details;
      await clock.sleep(typeof retryAfterMs === 'number' ? retryAfterMs : limits.taskLookMs, signal);
    }
  }
}
