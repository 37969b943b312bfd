import type { ModelCard } from '@peerai/core-protocol';
import type { Ollama } from 'ollama/browser';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { checkReply } from './check.ts';
import { sameModelName } from './engine.ts';

const tagsSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string().min(1),
        size: z.number().nonnegative().optional(),
        digest: z.string().optional(),
        details: z.object({ family: z.string().nullish() }).nullish(),
      }),
    )
    .max(limits.engineModelsMax),
});
const runningSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      size: z.number().nonnegative().optional(),
      context_length: z.number().int().positive().optional(),
    }),
  ),
});
const showSchema = z.object({
  capabilities: z.array(z.string()).optional(),
  parameters: z.string().optional(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});
type Tag = z.output<typeof tagsSchema>['models'][number];
type Running = z.output<typeof runningSchema>['models'][number];
interface Traits {
  readonly contextTokensMax: number;
  readonly embeds: boolean;
}

/** Families of models that only embed. Before 0.6.4 Ollama named no capabilities; a family it always named. */
const embeddingFamily = /^(?:[a-z]+-)*bert(?:-[a-z0-9]+)*$/u;

/**
 * What this Ollama has (`/api/tags`), what of it is loaded (`/api/ps`), and for each model once its traits (`/api/show`).
 *
 * @param traitsOf - remembers traits by digest: a model that is pulled again has another one.
 * @param only - asks for the traits of this model alone.
 *
 * Throws as the client.
 */
export async function ollamaCards(
  client: Ollama,
  traitsOf: Map<string, Traits>,
  only?: string,
): Promise<readonly ModelCard[]> {
  const [{ models }, running] = await Promise.all([
    client.list().then((reply) => checkReply(tagsSchema, reply)),
    client.ps().then(
      (reply) => runningSchema.safeParse(reply).data?.models ?? [],
      (): Running[] => [],
    ),
  ]);
  const wanted = only === undefined ? models : models.filter(({ name }) => sameModelName(name, only));
  const left = wanted.filter(({ name, digest = name }) => !traitsOf.has(digest));
  const ask = async (): Promise<void> => {
    for (let tag = left.shift(); tag !== undefined; tag = left.shift()) await learn(client, traitsOf, tag);
  };
  await Promise.all(Array.from({ length: limits.engineQuestionsAtOnce }, ask));
  return wanted.map((tag) => cardOf(tag, traitsOf.get(tag.digest ?? tag.name), running));
}

/** A model whose traits cannot be learned now keeps the assumed ones, and is asked again next time. */
async function learn(
  client: Ollama,
  traitsOf: Map<string, Traits>,
  { name, digest = name, details }: Tag,
): Promise<void> {
  const reply = showSchema.safeParse(await client.show({ model: name }).catch(() => undefined)).data;
  if (reply === undefined) return;
  if (traitsOf.size >= limits.engineModelsMax) traitsOf.clear();
  const trained = Object.entries(reply.model_info ?? {}).find(([key]) => key.endsWith('.context_length'))?.[1];
  const asked = Number(/^num_ctx\s+(\d+)$/m.exec(reply.parameters ?? '')?.[1] ?? Number.NaN);
  const known = typeof trained === 'number' && trained > 0 ? trained : limits.contextTokensAssumed;
  traitsOf.set(digest, {
    // Ollama runs a model with `num_ctx`, else with its own default of about 4,096, whatever the model was trained for.
    contextTokensMax: Number.isNaN(asked) ? Math.min(known, limits.contextTokensAssumed) : asked,
    embeds: reply.capabilities?.includes('embedding') ?? embeddingFamily.test(details?.family ?? ''),
  });
}

function cardOf({ name, size = 0 }: Tag, traits: Traits | undefined, running: readonly Running[]): ModelCard {
  const loaded = running.find((one) => one.name === name);
  return {
    name,
    engine: 'ollama',
    contextTokensMax: loaded?.context_length ?? traits?.contextTokensMax ?? limits.contextTokensAssumed,
    memoryBytes: loaded?.size ?? size,
    loaded: loaded !== undefined,
    deterministic: false,
    fits: true,
    ...(traits === undefined ? {} : { embeds: traits.embeds, forEmbeddings: traits.embeds }),
  };
}
