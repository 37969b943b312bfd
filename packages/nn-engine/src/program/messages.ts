import type { Tensor, Tensors } from '@peerai/core-protocol';

/** What the program's owner asks of its worker; one question at a time is answered, in order. */
export type Question = Asked & {
  readonly id: number;
  /** The asker of the run before left before its answer: carried state is then as it was before that run. */
  readonly withoutLast?: true;
};
export type Asked =
  | { readonly kind: 'run'; readonly feeds: Tensors }
  | { readonly kind: 'read'; readonly input: string }
  | { readonly kind: 'write'; readonly input: string; readonly value: Tensor };

/** The worker ends itself after what it was asked before. */
export interface Close {
  readonly kind: 'close';
}

/** What every worker is started with. */
export interface WorkerStart {
  readonly graph: Uint8Array;
  readonly carry: Readonly<Record<string, string>>;
  readonly threads: number;
}

export type WorkerErrorCode = 'SHAPE_MISMATCH' | 'MODEL_REFUSED' | 'MODEL_INVALID' | 'ENGINE_MISSING';

export type Reply =
  | { readonly id: number; readonly tensors?: Tensors; readonly tensor?: Tensor }
  | {
      readonly id: number;
      readonly code: WorkerErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/** The reply to loading has this id. */
export const loadId = 0;
