import { llmError } from '../errors.ts';

/** The part of node-llama-cpp 3.22 that is used here, by its documentation; its own types are not there when it is not installed. */
export interface LlamaBinding {
  getLlama(options: { readonly build: 'never'; readonly gpu: false }): Promise<Llama>;
  readonly LlamaChat: new (options: { readonly contextSequence: Sequence }) => Chat;
}
export interface Llama {
  loadModel(options: { readonly modelPath: string; readonly loadSignal?: AbortSignal }): Promise<LoadedModel>;
}
export interface LoadedModel {
  /** Bytes. */
  readonly size: number;
  readonly trainContextSize: number;
  tokenize(text: string): { readonly length: number };
  createContext(options: { readonly contextSize: { readonly max: number } }): Promise<LlamaContext>;
  createEmbeddingContext(): Promise<EmbeddingContext>;
}
export interface LlamaContext {
  readonly contextSize: number;
  getSequence(): Sequence;
  dispose(): Promise<void>;
}
export interface EmbeddingContext {
  getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>;
  dispose(): Promise<void>;
}
export interface Sequence {
  readonly tokenMeter: { readonly usedInputTokens: number; readonly usedOutputTokens: number };
}
export type HistoryItem =
  | { readonly type: 'system' | 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: readonly string[] };
export interface Chat {
  generateResponse(
    history: readonly HistoryItem[],
    options: {
      readonly signal: AbortSignal;
      readonly maxTokens: number;
      readonly temperature?: number;
      readonly topP?: number;
      readonly seed?: number;
      readonly customStopTriggers?: readonly string[];
      readonly onTextChunk: (text: string) => void;
    },
  ): Promise<{ readonly metadata: { readonly stopReason: string } }>;
}

/** Throws ENGINE_MISSING when the package is not installed. */
export async function importBinding(): Promise<LlamaBinding> {
  // Not a literal: neither the compiler nor a bundler shall look for an optional package.
  const name = 'node-llama-cpp' as string;
  try {
    return (await import(name)) as LlamaBinding;
  } catch (cause) {
    const message = `a GGUF file in this process needs the package ${name}: npm install ${name}@3`;
    throw llmError('ENGINE_MISSING', message, { package: name }, cause);
  }
}
