import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { realClock as clock } from '../testing/real-clock.ts';
import { startWireEngine } from '../testing/wire-engines.ts';
import { type Asked, sendJson, startWireServer, type WireServer } from '../testing/wire-server.ts';
import { probeEngines, probeUrls } from './probe.ts';

const signal = new AbortController().signal;
let servers: WireServer[] = [];
const serve = async (starting: Promise<WireServer>): Promise<string> => {
  const server = await starting;
  servers.push(server);
  return server.url;
};
/** A server with JSON pages, everything else 404. */
const pages = (
  all: Readonly<Record<string, unknown>>,
  status = 404,
  headers: Record<string, string> = {},
): Promise<string> =>
  serve(
    startWireServer(({ path }: Asked, reply) => {
      for (const [name, value] of Object.entries(headers)) reply.setHeader(name, value);
      sendJson(reply, all[path] ?? {}, path in all ? 200 : status);
    }),
  );
const look = async (...urls: readonly string[]) => probeEngines({ clock }, { urls, signal });
afterEach(async () => {
  await Promise.all(servers.map(({ stop }) => stop()));
  servers = [];
});

describe('probeEngines', () => {
  it('finds engines by what they answer, and gives each ready to use', async () => {
    const ollama = await serve(startWireEngine('ollama'));
    const openai = await serve(startWireEngine('openai'));
    const old = await serve(startWireEngine('completion'));
    const studio = await pages({
      '/v1/models': { object: 'list', data: [{ id: 'a', owned_by: 'organization_owner' }, { id: 'b' }] },
    });
    const empty = await pages({ '/v1/models': { object: 'list', data: [] } });
    const findings = await look(ollama, openai, old, studio, empty, 'http://127.0.0.1:1');
    expect(findings.map(({ kind, state, detail }) => `${kind} ${state}: ${detail}`)).toEqual([
      'ollama found: Ollama 0.12.3 with 9 models',
      'openai-compatible found: llama.cpp with 9 models',
      'openai-compatible found: llama.cpp with 1 model',
      'openai-compatible found: LM Studio with 2 models',
      'openai-compatible found: an OpenAI-compatible server with 0 models',
      'unknown absent: nothing answers at http://127.0.0.1:1',
    ]);
    expect(findings.map(({ url, engine }) => engine?.url === url)).toEqual([true, true, true, true, true, false]);
    expect(await findings[0]?.engine?.list(signal)).toHaveLength(9);
    expect((await findings[2]?.engine?.list(signal))?.[0]?.card.name).toBe('old-7b.Q4');
  });

  it('refuses PeerAI itself by each of its marks, however well it speaks Ollama', async () => {
    const speaking = { '/api/version': { version: '0.12.3' }, '/api/tags': { models: [] } };
    for (const url of [
      await pages(speaking, 404, { 'x-peerai': '1' }),
      await pages(speaking, 404, { 'x-peerai-peer': 'abc' }),
      await pages({ ...speaking, '/api/version': { version: '0.1.0-peerai' } }),
      await serve(startWireServer((_, reply) => void reply.end('PeerAI is running'))),
    ]) {
      const [finding] = await look(url);
      expect(finding).toMatchObject({ kind: 'peerai', state: 'refused' });
      expect(finding?.detail).toContain('ENGINE_LOOP');
      expect(finding?.engine).toBeUndefined();
    }
  });

  it('refuses everything else that answers, and says what it can', async () => {
    const version = { '/api/version': { version: '1.0' } };
    for (const [url, words] of [
      [await serve(startWireServer((_, reply) => void reply.end('<h1>It works</h1>'))), 'no engine this version knows'],
      [await pages(version), 'no engine this version knows'],
      [await pages({ '/v1/models': { data: [{ id: 'x' }] } }), 'no engine this version knows'],
      [
        await serve(startWireServer((_, reply) => sendJson(reply, { object: 'list', data: [] }, 500))),
        'no engine this version knows',
      ],
      [await pages({}, 401), 'API key'],
      [await pages({}, 503), 'loading'],
    ] as const) {
      const [finding] = await look(url);
      expect(finding).toMatchObject({ kind: 'unknown', state: 'refused', url });
      expect(finding?.detail).toContain(words);
    }
  });

  it('is bounded in time for a server that says nothing, and in bytes for one that says too much', async () => {
    const mute = await serve(startWireServer(() => undefined));
    const startedMs = performance.now();
    expect(await look(mute)).toMatchObject([{ state: 'absent' }]);
    expect(performance.now() - startedMs).toBeLessThan(limits.probeMs + 500);
    const listOf = (fill: number): object => ({ object: 'list', data: [], fill: 'x'.repeat(fill) });
    const room = limits.probeBodyBytesMax - JSON.stringify(listOf(0)).length;
    const [fits] = await look(await pages({ '/v1/models': listOf(room) }));
    const [over] = await look(await pages({ '/v1/models': listOf(room + 1) }));
    expect([fits?.state, over?.state]).toEqual(['found', 'refused']);
  });

  it('judges a server by the paths that answer when another one hangs', async () => {
    const half = startWireServer(({ path }, reply) => {
      if (path === '/v1/models') sendJson(reply, { object: 'list', data: [{ id: 'a', owned_by: 'vllm' }] });
    });
    expect(await look(await serve(half))).toMatchObject([{ state: 'found', detail: 'vLLM with 1 model' }]);
  });

  it('keeps a stranger’s control characters off the terminal', async () => {
    const url = await pages({ '/api/version': { version: '1\u001B[31m' }, '/api/tags': { models: null } });
    expect((await look(url))[0]?.detail).toBe('Ollama 1?[31m with 0 models');
  });

  it('stops with the caller, and takes only addresses', async () => {
    const mute = await serve(startWireServer(() => undefined));
    const stopping = new AbortController();
    const probing = probeEngines({ clock }, { urls: [mute], signal: stopping.signal });
    stopping.abort();
    await expect(probing).rejects.toMatchObject({ code: 'ABORTED' });
    await expect((async () => look('ftp://x'))()).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
    expect(probeUrls.map((url) => new URL(url).port)).toEqual(['11434', '8000', '8080', '1234']);
  });
});
