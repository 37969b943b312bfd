import { type Prompt, type Usage, utf8 } from '@peerai/core-protocol';
import type { ModelRunView } from './imported.schema.ts';
import { modelLimits } from './limits.ts';

/** A run as a prompt, so that its use is signed as an answer's is: the JSON of its inputs, said by a user. */
export const promptOf = (inputs: Readonly<Record<string, unknown>>): Prompt => ({
  messages: [{ role: 'user', text: JSON.stringify(inputs) }],
});

/** The answer's bytes in the work hash: the JSON of the outputs, as it travels. */
export const bytesOf = (outputs: ModelRunView['outputs']): Uint8Array => utf8(JSON.stringify(outputs));

/** Each number that goes in counts as one token of the prompt. What is no number is refused before anything runs, and counts as one. */
export function numbersGiven(inputs: Readonly<Record<string, unknown>>): number {
  return Object.values(inputs).reduce<number>((sum, value) => sum + leaves(isFlat(value) ? value.data : value), 0);
}

/** Each number that comes out counts as one token of the answer. */
export function usageOf(inputs: Readonly<Record<string, unknown>>, { outputs }: Pick<ModelRunView, 'outputs'>): Usage {
  const answerTokens = Object.values(outputs).reduce((sum, { data }) => sum + data.length, 0);
  return { promptTokens: numbersGiven(inputs), answerTokens };
}

const isFlat = (value: unknown): value is { readonly data: unknown } =>
  typeof value === 'object' && value !== null && 'data' in value;

/** Deeper lists than a model takes are not looked into. */
function leaves(value: unknown, depth = 0): number {
  if (!Array.isArray(value) || depth >= modelLimits.modelRankMax) return 1;
  return value.reduce<number>((sum, one) => sum + leaves(one, depth + 1), 0);
}
