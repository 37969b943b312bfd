import type { PromptMessage, Sampling, Tensors } from '@peerai/core-protocol';

import type { Question, WorkerErrorCode, WorkerStart } from '../../program/messages.ts';
import type { DecoderShape } from './decoder-shape.ts';

/** The first message to the child; questions follow, one at a time. */
export interface ChildStart extends WorkerStart {
  readonly memoryBytesMax: number;
  /** Bytes of the tensors of one answer. */
  readonly answerBytesMax: number;
  readonly lookMs: number;
  /** For vectors of texts: what `text-files.ts` reads, the inputs and the output of the model, and tokens of one text. */
  readonly texts?: {
    readonly files: Uint8Array;
    readonly inputs: readonly string[];
    readonly output: string;
    readonly tokensMax: number;
  };
  /** For answers. */
  readonly writing?: { readonly files: Uint8Array; readonly shape: DecoderShape };
}
/** Vectors of texts, as the tensor `vectors`. */
export interface EmbedQuestion {
  readonly kind: 'embed';
  readonly id: number;
  readonly texts: readonly string[];
}
/** Texts come as parts, then the finish. */
export interface WriteQuestion {
  readonly kind: 'write-text';
  readonly id: number;
  readonly messages: readonly PromptMessage[];
  readonly sampling: Sampling & { readonly seed: number };
}
export type ChildQuestion = Question | EmbedQuestion | WriteQuestion;
/** The asker of this question left: it ends with a finish as soon as the step it is in is over. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly id: number;
}

/** What is known of a language model once its files were read. */
export interface WriterFacts {
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
  /** It has a chat template; without one it goes on with what was said. */
  readonly hasTemplate: boolean;
  /** It draws its tokens unless asked otherwise, as `generation_config.json` says. */
  readonly draws: boolean;
}
export interface WriterFinish {
  readonly reason: 'stop' | 'length' | 'cancelled';
  readonly promptTokens: number;
  readonly answerTokens: number;
}

export type ChildErrorCode = WorkerErrorCode | 'MODEL_FILE_MISSING' | 'INVALID_FORMAT' | 'PROMPT_TOO_LONG';
/** What ends a question well. */
export interface ChildAnswer {
  readonly id: number;
  readonly tensors?: Tensors;
  readonly tensor?: Tensors[string];
  readonly facts?: WriterFacts;
  readonly finish?: WriterFinish;
}
export interface ChildFailure {
  readonly id: number;
  readonly code: ChildErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}
/** What the child says: answers, a piece of one (empty while it reads the prompt), and once that it has more memory than it may. */
export type ChildReply =
  | ChildAnswer
  | ChildFailure
  | { readonly id: number; readonly text: string }
  | { readonly id: -1; readonly memoryBytes: number };
