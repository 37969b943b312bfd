import type { LoadOptions, Program, Prompt, Sampling } from '@peerai/core-protocol';
import type { ImportedModelView } from '../imported.schema.ts';

/** What a model file says of itself. */
export type ModelFacts = Pick<ImportedModelView, 'producer' | 'nodes' | 'operators' | 'inputs' | 'outputs' | 'texts'>;

/** Vectors of texts: one a text, L2 norm 1. */
export interface Embedder extends AsyncDisposable {
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** Answers, one at a time. */
export interface Writer extends AsyncDisposable {
  readonly facts: { readonly contextTokens: number; readonly hasTemplate: boolean };
  /** Text as it comes, then what it took. One that is aborted ends as `cancelled`, and throws when its process had to end. */
  write(
    prompt: Prompt,
    sampling: Sampling & { readonly seed: number },
    heard: (text: string) => void,
    signal: AbortSignal,
  ): Promise<WriterFinish>;
}
export interface WriterFinish {
  readonly reason: 'stop' | 'length' | 'cancelled';
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** Reads and runs model files of the user's, each in a process with limits. Throws the engine's codes. */
export interface ModelRunner {
  /** Nothing of the file is executed. Throws MODEL_INVALID, MODEL_TOO_LARGE, MODEL_EXTERNAL_DATA, MODEL_REFUSED. */
  read(bytes: Uint8Array): Promise<ModelFacts>;
  load(bytes: Uint8Array, options: LoadOptions): Promise<Program>;
  /** With its `tokenizer.json`, or that and what lies beside it in one JSON object by file names. Throws as `load`, and MODEL_FILE_MISSING. */
  loadEmbedder(bytes: Uint8Array, files: Uint8Array, options: LoadOptions): Promise<Embedder>;
  /** The same for a language model. */
  loadWriter(bytes: Uint8Array, files: Uint8Array, options: LoadOptions): Promise<Writer>;
}
