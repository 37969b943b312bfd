import type { Tensor, Tensors } from '@peerai/core-protocol';

/** What the program's owner asks of its worker; one question at a time is answered, in order. */
export type Question =
  | { readonly kind: 'run'; readonly id: number; readonly feeds: Tensors }
  | { readonly kind: 'read'; readonly id: number; readonly input: string }
  | { readonly kind: 'write'; readonly id: number; readonly input: string; readonly value: Tensor }
  | { readonly kind: 'close' };

/** Handed to the worker when it starts. */
export interface WorkerStart {
  readonly graph: Uint8Array;
  readonly carry: Readonly<Record<string, string>>;
  readonly threads: number;
  /** One Int32: whoever changes it from `running` first decides whether the run counts. */
  readonly decision: SharedArrayBuffer;
}

export type WorkerErrorCode = 'SHAPE_MISMATCH' | 'MODEL_REFUSED' | 'ENGINE_MISSING' | 'ABORTED';

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
