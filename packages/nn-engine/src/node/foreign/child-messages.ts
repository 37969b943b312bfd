import type { Question, Reply, WorkerStart } from '../../program/messages.ts';

/** The first message to the child; questions follow, one at a time. */
export interface ChildStart extends WorkerStart {
  readonly memoryBytesMax: number;
  /** Bytes of the tensors of one answer. */
  readonly answerBytesMax: number;
  readonly lookMs: number;
  /** For texts: a `tokenizer.json`, the inputs and the output of the model, and tokens of one text. */
  readonly texts?: {
    readonly tokenizer: Uint8Array;
    readonly inputs: readonly string[];
    readonly output: string;
    readonly tokensMax: number;
  };
}
/** Vectors of texts, as the tensor `vectors`. */
export interface EmbedQuestion {
  readonly kind: 'embed';
  readonly id: number;
  readonly texts: readonly string[];
}
export type ChildQuestion = Question | EmbedQuestion;
/** What the child says: answers, and once that it has more memory than it may. */
export type ChildReply = Reply | { readonly id: -1; readonly memoryBytes: number };
