import { PeerAiError, type Prompt } from '@peerai/core-protocol';
import { sameModelName } from '@peerai/llm-bridge';
import { limits } from '../limits.ts';
import type { TaskToRun } from './task-handler.ts';

/** Kinds of work that a model can do alone, by the peer protocol's names; `prompt` is ours. */
export const modelTaskTypes = ['prompt', 'research', 'analysis', 'review', 'document', 'code'] as const;

/** What a task asks of a model. */
export interface ModelTask {
  /** Absent: the default one of whoever does it. */
  readonly model: string | undefined;
  readonly maxTokens: number;
  readonly prompt: Prompt;
}

/** The same on both sides, so that its giver knows what it signs for. Throws INVALID_FORMAT. */
export function modelTask({
  title,
  description,
  context,
}: Pick<TaskToRun, 'title' | 'description' | 'context'>): ModelTask {
  const { model, system, max_tokens: maxTokens = limits.taskTokensDefault } = context;
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
  if (!isText(model)) throw new PeerAiError('INVALID_FORMAT', 'context.model is a name');
  if (!isText(system)) throw new PeerAiError('INVALID_FORMAT', 'context.system is a text');
  if (!Number.isInteger(maxTokens) || (maxTokens as number) < 1 || (maxTokens as number) > limits.taskTokensMax)
    throw new PeerAiError('INVALID_FORMAT', `context.max_tokens is 1 to ${limits.taskTokensMax}`);
  const text = title === '' || description.startsWith(title) ? description : `${title}\n\n${description}`;
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system' as const, text: system }]),
    { role: 'user' as const, text },
  ];
  return { model, maxTokens: maxTokens as number, prompt: { messages } };
}

/** What a giver writes down that it signs for: any model of this name, without a name any. No model's own name begins so. */
export const anyModel = (name: string): string => `~${name}`;

/** The model that a receipt is signed for: the one asked for, or the one taken where that was left to whoever did it. */
export function modelToSign(asked: string, taken: string): string {
  if (!asked.startsWith('~')) return asked;
  return asked === '~' || sameModelName(asked.slice(1), taken) ? taken : asked;
}
