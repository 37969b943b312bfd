import { sendJson, startWireServer, type WireServer } from './wire-server.ts';

/** What the model does with a text: a row of numbers. */
export type TextToRow = (text: string) => readonly number[];

/**
 * An Ollama over true HTTP with `llama3:latest`, which answers, and `nomic-embed-text:latest`, which embeds.
 *
 * @param charsMax - longer texts are refused as Ollama refuses what is longer than the model's context.
 */
export function startWireEmbedder(row: TextToRow, charsMax = Number.POSITIVE_INFINITY): Promise<WireServer> {
  const names = ['llama3:latest', 'nomic-embed-text:latest'];
  return startWireServer(({ path, body }, reply) => {
    if (path === '/api/tags') {
      const models = names.map((name) => ({ name, model: name, size: 1_000, digest: name, details: {} }));
      return sendJson(reply, { models });
    }
    if (path === '/api/ps') return sendJson(reply, { models: [] });
    if (path === '/api/show') {
      const capabilities = body.model === names[1] ? ['embedding'] : ['completion', 'tools'];
      return sendJson(reply, { details: {}, model_info: {}, capabilities });
    }
    if (path !== '/api/embed' || body.model !== names[1])
      return sendJson(reply, { error: `model '${body?.model}' not found` }, 404);
    const texts = body.input as readonly string[];
    if (texts.some((text) => text.length > charsMax))
      return sendJson(reply, { error: 'the input length exceeds the context length' }, 400);
    sendJson(reply, { model: body.model, embeddings: texts.map(row) });
  });
}
