import { type ErrorDetails, PeerAiError } from '@peerai/core-protocol';

/** Codes this package throws, besides those of core-protocol and of the `Admission` it is given. */
export type LlmErrorCode =
  /** The engine's address does not answer, or answers that it is loading or overloaded. */
  | 'ENGINE_UNREACHABLE'
  /** The engine broke off, refused the request or went silent. */
  | 'ENGINE_FAILED'
  /** An optional package that this engine needs is not installed. */
  | 'ENGINE_MISSING'
  /** The address belongs to PeerAI itself. */
  | 'ENGINE_LOOP'
  | 'PROMPT_TOO_LONG'
  | 'MODEL_UNKNOWN'
  /** An answer was made with a text of its provider’s own before the question, which who checks it does not have. */
  | 'SYSTEM_TEXT_MISSING'
  /** The model has no embeddings, or the request asks for something that this path cannot carry. */
  | 'UNSUPPORTED'
  /** Too many wait already; `details.retryAfterMs` is an estimate. */
  | 'QUEUE_FULL'
  /** The tokens left do not reach for the prompt and one token of answer. */
  | 'BUDGET_SPENT'
  /** The same request id came with other contents. */
  | 'REQUEST_ID_REUSED'
  /** An answer to be resumed is not here any more. */
  | 'RESUME_GONE'
  /** The client was gone too long: the answer was stopped where it was. */
  | 'ANSWER_INTERRUPTED'
  /** The peer that answered went away after its first token; what came is kept by whoever read it. */
  | 'PEER_LOST'
  /** No candidate could answer; `details.attempts` names each with its code. */
  | 'NO_MODELS';

export function llmError(
  code: LlmErrorCode,
  message: string,
  details: ErrorDetails = {},
  cause?: unknown,
): PeerAiError<LlmErrorCode> {
  return new PeerAiError(code, message, details, cause === undefined ? {} : { cause });
}
