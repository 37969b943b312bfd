import type { LanguageModel } from '@peerai/core-protocol';
import { type Engine, sameModelName } from '@peerai/llm-bridge';
import { loadNano } from '@peerai/nn-engine/node';

/** The embedded guide as an engine of one model, loaded at its first use. */
export function nanoEngine(): Engine {
  let loading: Promise<LanguageModel> | undefined;
  const model = (): Promise<LanguageModel> => (loading ??= loadNano());
  return {
    kind: 'nano',
    list: async () => [await model()],
    model: async (name) => (sameModelName(name, 'nano') ? model() : undefined),
  };
}
