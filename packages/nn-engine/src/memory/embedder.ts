import { type LanguageModel, orAborted, PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { embeddingDimensions, lexicalHash } from '../nano/embedding.ts';
import { memoryLimits } from './limits.ts';
import { allFinite } from './vectors.ts';

export const embedderKinds = ['semantic', 'lexical'] as const;
/** Near by meaning, or near by words and spellings. */
export type EmbedderKind = (typeof embedderKinds)[number];

/** Gives texts their vectors. Vectors of two embedders are never compared, so the name says which model made them. */
export interface Embedder {
  readonly name: string;
  readonly dimensions: number;
  readonly kind: EmbedderKind;
  /** One row a text; the memory brings them to length 1. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** The default: hashed words and letter groups, no model and no meaning. */
export const lexicalEmbedder: Embedder = {
  name: 'lexical-hash/1',
  dimensions: embeddingDimensions,
  kind: 'lexical',
  embed: async (texts) => texts.map((text) => lexicalHash(text)),
};

/** A language model's `embed` as an embedder; it is asked once, for its dimensions. Throws ENGINE_MISSING when it has none, and what the engine throws. */
export async function embedderOf(model: LanguageModel, signal: AbortSignal): Promise<Embedder> {
  if (model.card.engine === 'nano') return lexicalEmbedder;
  const embed = model.embed?.bind(model);
  if (embed === undefined)
    throw new PeerAiError<NnErrorCode>('ENGINE_MISSING', `${model.card.name} has no embeddings.`);
  const [probe] = await embed(['dimensions'], signal);
  return {
    name: `${model.card.engine}/${model.card.name}`,
    dimensions: probe?.length ?? 0,
    kind: 'semantic',
    embed,
  };
}

/** One text's vector of length 1. Throws ABORTED, INVALID_OPTION when the embedder gives another count of numbers than it says, or one that is not finite. */
export async function embedText(embedder: Embedder, text: string, signal: AbortSignal): Promise<Float32Array> {
  const [row] = await orAborted(embedder.embed([text.slice(0, memoryLimits.embeddedCharsMax)], signal), signal);
  if (row?.length !== embedder.dimensions || !allFinite(row))
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      `The embedder ${embedder.name} did not give ${embedder.dimensions} numbers.`,
    );
  return unit(row);
}

/** The row at length 1; 0 stays 0. */
export function unit(row: Float32Array): Float32Array {
  // Plain loops: the array's own `reduce` and `map` took 45 µs of a search.
  let sum = 0;
  for (let index = 0; index < row.length; index += 1) sum += (row[index] as number) * (row[index] as number);
  const [norm, one] = [Math.sqrt(sum), row.slice()];
  if (norm !== 0) for (let index = 0; index < one.length; index += 1) one[index] = (one[index] as number) / norm;
  return one;
}
