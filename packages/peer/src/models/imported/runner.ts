import type { LoadOptions, Program } from '@peerai/core-protocol';
import type { ImportedModelView } from '../imported.schema.ts';

/** What a model file says of itself. */
export type ModelFacts = Pick<ImportedModelView, 'producer' | 'nodes' | 'operators' | 'inputs' | 'outputs'>;

/** Vectors of texts: one a text, L2 norm 1. */
export interface Embedder extends AsyncDisposable {
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** Reads and runs model files of the user's, each in a process with limits. Throws the engine's codes. */
export interface ModelRunner {
  /** Nothing of the file is executed. Throws MODEL_INVALID, MODEL_TOO_LARGE, MODEL_EXTERNAL_DATA, MODEL_REFUSED. */
  read(bytes: Uint8Array): Promise<ModelFacts>;
  load(bytes: Uint8Array, options: LoadOptions): Promise<Program>;
  /** With its `tokenizer.json`. Throws as `load`. */
  loadEmbedder(bytes: Uint8Array, tokenizer: Uint8Array, options: LoadOptions): Promise<Embedder>;
}
