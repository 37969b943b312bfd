import type { LanguageModel } from '@peerai/core-protocol';

/** Where models come from: one running program, or one in this process. */
export interface Engine {
  /** `scripted`, `nano`, `ollama`, `openai-compatible`, `llama-cpp`: what its models' cards say too. */
  readonly kind: string;
  readonly url?: string;
  /** The models it has now. Throws ENGINE_UNREACHABLE, ENGINE_FAILED. */
  list(signal: AbortSignal): Promise<readonly LanguageModel[]>;
  /** One model by name, also a name that `list` does not show; nothing when there is none. Throws as `list`. */
  model(name: string, signal: AbortSignal): Promise<LanguageModel | undefined>;
}

/** Ollama's `mistral` is `mistral:latest`; every other name means itself. */
export function sameModelName(one: string, other: string): boolean {
  const bare = (name: string): string => (name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name);
  return bare(one) === bare(other);
}

/** The model of that name: an exact one before one that only differs by `:latest`. */
export function findModel<Model extends Pick<LanguageModel, 'card'>>(
  models: readonly Model[],
  name: string,
): Model | undefined {
  return models.find(({ card }) => card.name === name) ?? models.find(({ card }) => sameModelName(card.name, name));
}
