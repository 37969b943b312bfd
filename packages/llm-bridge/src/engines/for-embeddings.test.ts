import { ManualClock } from '@peerai/core-protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { sendJson, startWireServer, type WireServer } from '../testing/wire-server.ts';
import { ollamaEngine } from './ollama.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';

const never = new AbortController().signal;
const deps = { clock: new ManualClock() };
const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map(({ stop }) => stop())));

/** What each path answers; everything else is 404. */
async function serve(pages: Readonly<Record<string, (body: { readonly model?: string }) => unknown>>) {
  const server = await startWireServer(({ path, body }, reply) => {
    const page = pages[path]?.((body ?? {}) as { model?: string });
    sendJson(reply, page ?? { error: 'not found' }, page === undefined ? 404 : 200);
  });
  servers.push(server);
  return server;
}
const openAi = async (data: readonly object[], own: Readonly<Record<string, () => unknown>> = {}) =>
  (
    await openAiCompatibleEngine(deps, await serve({ '/v1/models': () => ({ object: 'list', data }), ...own })).list(
      never,
    )
  ).map(({ card: { name, embeds, forEmbeddings } }) => [name, embeds, forEmbeddings]);

test('Ollama says it by a capability; before it named any, by the family of the weights', async () => {
  const tag = (name: string, family: string) => ({ name, size: 1, digest: name, details: { family } });
  const server = await serve({
    '/api/tags': () => ({
      models: [
        tag('llama3:8b', 'llama'),
        tag('qwen3-embedding:4b', 'qwen3'),
        tag('old-minilm:latest', 'bert'),
        tag('old-nomic:latest', 'nomic-bert'),
        tag('old-moe:latest', 'nomic-bert-moe'),
        tag('embed-by-name:latest', 'llama'),
        tag('broken:latest', 'bert'),
      ],
    }),
    '/api/ps': () => ({ models: [] }),
    '/api/show': ({ model = '' }) => {
      if (model.startsWith('broken')) return undefined;
      const capabilities = model === 'llama3:8b' ? ['completion', 'tools'] : ['embedding'];
      return { model_info: {}, ...(model.endsWith('b') ? { capabilities } : {}) };
    },
  });
  const models = await ollamaEngine(deps, server).list(never);
  expect(models.map(({ card }) => [card.name, card.embeds, card.forEmbeddings])).toEqual([
    ['llama3:8b', false, false],
    ['qwen3-embedding:4b', true, true],
    ['old-minilm:latest', true, true],
    ['old-nomic:latest', true, true],
    ['old-moe:latest', true, true],
    ['embed-by-name:latest', false, false],
    // Nothing was learned of it yet.
    ['broken:latest', undefined, undefined],
  ]);
  expect(server.asked.some(({ path }) => path === '/api/embed' || path === '/api/chat')).toBe(false);
});

test('an OpenAI-compatible server’s word counts, and a name is none', async () => {
  const started = (...args: string[]) => ({ status: { value: 'loaded', args: ['llama-server', ...args] } });
  expect(
    await openAi([
      { id: 'nomic-embed-text' },
      { id: 'infinity', capabilities: ['embed', 'rerank'] },
      { id: 'bge-reranker', capabilities: ['rerank'] },
      { id: 'hosted', type: 'embedding' },
      { id: 'chat', type: 'llm' },
      { id: 'routed', ...started('--embeddings') },
      { id: 'routed-chat', ...started('--ctx-size', '4096') },
      { id: 'mistral', type: 'base', capabilities: { completion_chat: true }, status: 'ready' },
    ]),
  ).toEqual([
    ['nomic-embed-text', true, undefined],
    ['infinity', true, true],
    ['bge-reranker', undefined, false],
    ['hosted', true, true],
    ['chat', undefined, false],
    ['routed', true, true],
    ['routed-chat', undefined, undefined],
    ['mistral', undefined, undefined],
  ]);
});

test('LM Studio says it in its own list, which only LM Studio is asked for', async () => {
  const listed = ['text-embedding-nomic', 'bge-chat'].map((id) => ({ id, owned_by: 'organization_owner' }));
  const own = () => ({
    data: [
      { id: 'text-embedding-nomic', type: 'embeddings' },
      { id: 'bge-chat', type: 'llm' },
    ],
  });
  expect(await openAi(listed, { '/api/v0/models': own })).toEqual([
    ['text-embedding-nomic', true, true],
    ['bge-chat', undefined, false],
  ]);
  // A version from before that list: the name is a guess again, and no word.
  expect(await openAi(listed)).toEqual([
    ['text-embedding-nomic', true, undefined],
    ['bge-chat', true, undefined],
  ]);
  await openAi([{ id: 'm', owned_by: 'vllm' }]);
  expect(servers.at(-1)?.asked.map(({ path }) => path)).toEqual(['/v1/models']);
});
