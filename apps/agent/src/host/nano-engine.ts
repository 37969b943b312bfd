import type { Clock } from '@peerai/core-protocol';
import { type Engine, sameModelName } from '@peerai/llm-bridge';
import { createNano, nanoOperators as readOperators } from '@peerai/nn-engine/nano';

/** The embedded guide as an engine of one model; its file, and what reads it, is loaded at the first question. */
export function nanoEngine(clock: Clock): Engine {
  const model = createNano({
    file: async (signal) => (await import('@peerai/nn-engine/node')).readNanoFile(signal),
    clock,
  });
  return {
    kind: 'nano',
    list: async () => [model],
    model: async (name) => (sameModelName(name, model.card.name) ? model : undefined),
  };
}

let operators: Promise<readonly string[]> | undefined;
/** Operators of the network it computes. */
export const nanoOperators = (): Promise<readonly string[]> => (operators ??= readOperators());
