import type { Clock } from '@peerai/core-protocol';
import { type Engine, sameModelName } from '@peerai/llm-bridge';
import { createNano, decodeOperators } from '@peerai/nn-engine/nano';
import { readNanoFile } from '@peerai/nn-engine/node';

/** The embedded guide as an engine of one model; its file is read at the first question. */
export function nanoEngine(clock: Clock): Engine {
  const model = createNano({ file: readNanoFile, clock });
  return {
    kind: 'nano',
    list: async () => [model],
    model: async (name) => (sameModelName(name, model.card.name) ? model : undefined),
  };
}

let operators: readonly string[] | undefined;
/** Operators of the network it computes. */
export const nanoOperators = (): readonly string[] => (operators ??= decodeOperators());
