/** What the model does with a text: a row of numbers. */
export type TextToRow = (text: string) => readonly number[];
export interface WireEmbedder {
  /** For an engine's `fetch`: no socket, so that it takes no time that a test's clock does not know of. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Texts that were embedded, with the model they were embedded by. */
  readonly asked: readonly { readonly model: string; readonly text: string }[];
  /** Nothing answers any more, or again. */
  isAway: boolean;
}

/**
 * An Ollama as its clients hear it, with `llama3:latest`, which answers, and `nomic-embed-text:latest`, which embeds.
 *
 * @param charsMax - longer texts are refused as Ollama refuses what is longer than the model's context.
 */
export function wireEmbedder(row: TextToRow, charsMax = Number.POSITIVE_INFINITY): WireEmbedder {
  const [answers, embeds] = ['llama3:latest', 'nomic-embed-text:latest'] as const;
  const asked: { model: string; text: string }[] = [];
  const embed = ({ model, input }: { readonly model: string; readonly input: readonly string[] }): Response => {
    asked.push(...input.map((text) => ({ model, text })));
    if (model !== embeds) return json({ error: `model '${model}' not found` }, 404);
    if (input.some((text) => text.length > charsMax))
      return json({ error: 'the input length exceeds the context length' }, 400);
    return json({ model, embeddings: input.map(row) });
  };
  const pages: Readonly<Record<string, (body: string) => Response>> = {
    '/api/tags': () =>
      json({ models: [answers, embeds].map((name) => ({ name, model: name, size: 1, digest: name })) }),
    '/api/ps': () => json({ models: [] }),
    '/api/show': (body) => {
      const { model } = JSON.parse(body) as { readonly model: string };
      return json({ model_info: {}, capabilities: model === embeds ? ['embedding'] : ['completion', 'tools'] });
    },
    '/api/embed': (body) => embed(JSON.parse(body) as Parameters<typeof embed>[0]),
  };
  const here: WireEmbedder = {
    asked,
    isAway: false,
    async fetch(url, init) {
      if (here.isAway) throw new TypeError('fetch failed');
      const { pathname } = new URL(url);
      return pages[pathname]?.(typeof init?.body === 'string' ? init.body : '') ?? json({ error: 'not found' }, 404);
    },
  };
  return here;
}

const json = (body: unknown, status = 200): Response =>
  Response.json(body, { status, headers: { 'content-type': 'application/json' } });
