import { type CryptoProvider, PeerAiError, type Prompt, type Sampling, toHex, utf8 } from '@peerai/core-protocol';
import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Ask } from './protocol.ts';
import { promptBytes } from './work.ts';

/** An ask that keeps every limit. */
export interface Question {
  readonly requestId: string;
  readonly model: string;
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly grant?: Uint8Array;
  readonly resumeOffset: number;
}

/** Throws INVALID_FORMAT, LIMIT_EXCEEDED, PROMPT_TOO_LONG. */
export function readQuestion(ask: Ask): Question {
  const { requestId, model, messages, grant, resumeOffset = 0 } = ask;
  checkText('requestId', requestId, limits.requestIdBytesMax);
  checkText('model', model, limits.modelNameBytesMax);
  if (messages.length === 0) throw new PeerAiError('INVALID_FORMAT', 'a prompt without messages');
  checkPromptBytes({ messages });
  if ((grant?.length ?? 0) > limits.grantBytesMax) throw tooLong('grant', limits.grantBytesMax);
  return {
    requestId,
    model,
    prompt: { messages },
    sampling: readSampling(ask),
    ...(grant === undefined ? {} : { grant }),
    resumeOffset,
  };
}

export function writeAsk(question: Question): Ask {
  const { requestId, model, prompt, sampling, grant, resumeOffset } = question;
  const { maxTokens, temperature, topP, seed, stop = [] } = sampling;
  return { requestId, model, messages: prompt.messages, maxTokens, temperature, topP, seed, stop, grant, resumeOffset };
}

/** Throws PROMPT_TOO_LONG, LIMIT_EXCEEDED. */
export function checkPromptBytes({ messages }: Prompt): void {
  if (messages.length > limits.promptMessagesMax) throw tooLong('messages', limits.promptMessagesMax);
  const bytes = messages.reduce((sum, { text }) => sum + utf8(text).length, 0);
  if (bytes > limits.promptBytesMax) {
    throw llmError('PROMPT_TOO_LONG', `the prompt has ${bytes} bytes; at most ${limits.promptBytesMax} travel`);
  }
}

/** The same for the same question: a request id that comes with another one is refused. */
export function questionDigest(crypto: Pick<CryptoProvider, 'sha256'>, question: Question): string {
  const { model, sampling, prompt } = question;
  const { maxTokens, temperature, topP, seed, stop } = sampling;
  const rest = JSON.stringify([model, maxTokens, temperature, topP, seed, stop]);
  return toHex(crypto.sha256(utf8(rest), promptBytes(prompt)));
}

function readSampling({ maxTokens, temperature, topP, seed, stop }: Ask): Sampling {
  if (maxTokens < 1 || maxTokens > limits.answerTokensMax) {
    throw new PeerAiError('LIMIT_EXCEEDED', `maxTokens is ${maxTokens}; it can be 1 to ${limits.answerTokensMax}`);
  }
  checkRange('temperature', temperature, 0, 5);
  checkRange('topP', topP, 0, 1);
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new PeerAiError('INVALID_FORMAT', 'seed is no whole number');
  for (const text of stop) checkText('stop', text, limits.stopTextBytesMax);
  return {
    maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

function checkText(name: string, text: string, bytesMax: number): void {
  if (text === '') throw new PeerAiError('INVALID_FORMAT', `${name} is empty`);
  if (utf8(text).length > bytesMax) throw tooLong(name, bytesMax);
}

function checkRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw new PeerAiError('INVALID_FORMAT', `${name} is outside ${min} to ${max}`);
}

const tooLong = (name: string, max: number): PeerAiError =>
  new PeerAiError('LIMIT_EXCEEDED', `${name} is above its limit of ${max}`, { name, max });
