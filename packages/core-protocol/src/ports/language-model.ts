import type { PeerId } from './brand.ts';

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly text: string;
}
export interface Prompt {
  readonly messages: readonly PromptMessage[];
}
export interface Sampling {
  /** Tokens the answer may have at most. */
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
}
export interface Usage {
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** True when the engine reported no counts and these are estimated (4 bytes a token). */
  readonly estimated?: boolean;
}
export interface ModelCard {
  readonly name: string;
  /** `scripted`, `nano`, `ollama`, `openai-compatible`, `llama-cpp`. */
  readonly engine: string;
  readonly contextTokensMax: number;
  /** 0 when the engine does not say. */
  readonly memoryBytes: number;
  readonly loaded: boolean;
  readonly deterministic: boolean;
  readonly fits: boolean;
  readonly embeds?: boolean;
  /** Its engine says that it is made for embeddings; absent where the engine does not say. A name is no such word. */
  readonly forEmbeddings?: boolean;
  /** One honest sentence for people. */
  readonly description?: string;
}
export interface Provenance {
  readonly peer: PeerId;
  readonly path: 'local' | 'direct' | 'relayed' | 'http' | 'queued';
  /** The double-signed usage receipt, once it is. */
  readonly receipt?: Uint8Array;
  /** What the provider signed of a deterministic model's answer: whoever has the same model can ask it again. Unread. */
  readonly statement?: Uint8Array;
}
/** What makes a deterministic model's answers: who has the same gives the same ones. */
export interface ModelIdentity {
  /** SHA-256 of the file with the weights. */
  readonly weights: Uint8Array;
  /** The program that computes, and the version of its answers: another one may choose another word. */
  readonly engine: string;
  readonly version: string;
}
export type AnswerPart =
  | {
      readonly type: 'text-delta';
      readonly text: string;
      /** How nearly another text came: nats by which the scores of the tokens in it would have to differ. Absent where the model does not say. */
      readonly margin?: number;
    }
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly argumentsText: string }
  | {
      readonly type: 'finish';
      readonly reason: 'stop' | 'length' | 'tool-calls';
      readonly usage: Usage;
      /** The same of going on. */
      readonly margin?: number;
      readonly servedBy?: Provenance;
      /** Questions a reader may click instead, when the model was not sure it understood. */
      readonly suggestions?: readonly string[];
    };

/** Anything that answers: an engine's model, our nano, a split model, a peer's model. */
export interface LanguageModel {
  readonly specification: 1;
  readonly card: ModelCard;
  /** Parts as they come, `finish` last and once. Aborting frees the engine within 1 s. Throws ENGINE_UNREACHABLE, PROMPT_TOO_LONG. */
  generate(prompt: Prompt, sampling: Sampling, signal: AbortSignal): AsyncIterable<AnswerPart>;
  /** One row a text, float32, L2 norm 1; absent where the engine has none. */
  embed?(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
  /** Loads ahead of the first prompt (wake-up). */
  warm?(signal: AbortSignal): Promise<void>;
  /** What others need to give the same answers; absent where that cannot be said. */
  identify?(signal: AbortSignal): Promise<ModelIdentity>;
}
