import { systemClock } from '@peerai/platform';
import { silentLogger } from '@peerai/core-protocol/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { createEngines } from './engines.ts';

afterEach(() => vi.unstubAllEnvs());

const ollamaAt = async (host: string): Promise<string | undefined> => {
  vi.stubEnv('OLLAMA_HOST', host);
  const engines = await createEngines({ clock: systemClock, logger: silentLogger }, ['ollama']);
  return engines.list()[0]?.url;
};

test.each([
  ['', 'http://127.0.0.1:11434'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['box.lan', 'http://box.lan:11434'],
  ['box.lan:8080', 'http://box.lan:8080'],
  ['https://box.lan/ollama', 'https://box.lan/ollama'],
])('the engine `ollama` with OLLAMA_HOST=%j is asked at %s, as the Ollama client does', async (host, url) => {
  expect(await ollamaAt(host)).toBe(url);
});
