import { type AnswerPart, type Clock, type LanguageModel, PeerAiError, type PeerId } from '@peerai/core-protocol';
import type { createModelQueue } from '@peerai/llm-bridge';
import { limits } from '../limits.ts';
import type { LocalModels } from '../models/local-models.ts';
import type { Models } from '../models/models.ts';
import type { TaskHandler, TaskRun, TaskToRun } from './task-handler.ts';

export interface PromptHandlerDeps {
  readonly clock: Clock;
  readonly local: Pick<LocalModels, 'find'>;
  readonly models: Pick<Models, 'defaultName' | 'isExposed'>;
  /** Tasks take their turn among the answers for other peers. */
  readonly queue: ReturnType<typeof createModelQueue>;
}
/** Kinds of work that a model can do alone, by the peer protocol's names; `prompt` is ours. */
const types = ['prompt', 'research', 'analysis', 'review', 'document', 'code'] as const;

/**
 * Asks a model of this peer that is offered to paired devices. `context.model` names it, `context.max_tokens` bounds the answer, `context.system` is put before. Gives back
 * `{text, model, reason, prompt_tokens, answer_tokens}`. Throws MODEL_UNKNOWN, INVALID_FORMAT, what the engine throws.
 */
export function promptHandler(deps: PromptHandlerDeps): TaskHandler {
  return {
    types,
    // An answer has no effect outside; the one that was interrupted was told to nobody.
    repeatable: true,
    async run(task, run) {
      const { model: name, system, maxTokens } = wishes(task.context);
      const model = await deps.local.find(name ?? deps.models.defaultName(), run.signal);
      if (model === undefined || !deps.models.isExposed(model.card.name))
        throw new PeerAiError(
          'MODEL_UNKNOWN',
          `${name === undefined ? 'no model' : `no model ${name}`} is offered here`,
        );
      const slot = await enter(deps, task.peer, run.signal);
      try {
        const messages = [
          ...(system === undefined ? [] : [{ role: 'system' as const, text: system }]),
          { role: 'user' as const, text: questionOf(task) },
        ];
        return await answer(model, model.generate({ messages }, { maxTokens }, run.signal), maxTokens, run);
      } finally {
        slot.free();
      }
    },
  };
}

async function answer(
  model: LanguageModel,
  parts: AsyncIterable<AnswerPart>,
  maxTokens: number,
  run: TaskRun,
): Promise<object> {
  let text = '';
  let tokens = 0;
  for await (const part of parts) {
    if (part.type === 'finish')
      return {
        text,
        model: model.card.name,
        reason: part.reason,
        prompt_tokens: part.usage.promptTokens,
        answer_tokens: part.usage.answerTokens,
      };
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

const questionOf = ({ title, description }: TaskToRun): string =>
  title === '' || description.startsWith(title) ? description : `${title}\n\n${description}`;

interface Wishes {
  readonly model: string | undefined;
  readonly system: string | undefined;
  readonly maxTokens: number;
}
function wishes({ model, system, max_tokens: maxTokens = limits.taskTokensDefault }: TaskToRun['context']): Wishes {
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
  if (!isText(model)) throw new PeerAiError('INVALID_FORMAT', 'context.model is a name');
  if (!isText(system)) throw new PeerAiError('INVALID_FORMAT', 'context.system is a text');
  if (!Number.isInteger(maxTokens) || (maxTokens as number) < 1 || (maxTokens as number) > limits.taskTokensMax)
    throw new PeerAiError('INVALID_FORMAT', `context.max_tokens is 1 to ${limits.taskTokensMax}`);
  return { model, system, maxTokens: maxTokens as number };
}
