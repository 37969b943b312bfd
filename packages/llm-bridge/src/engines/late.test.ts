import { ManualClock, settle } from '@peerai/core-protocol/testing';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import type { HttpEngineDeps } from './http.ts';
import { ollamaEngine } from './ollama.ts';
import { openAiCompatibleEngine } from './openai-compatible.ts';

/** An engine that takes each connection and says nothing, until it is no longer waited for. */
const silent = ((_url: unknown, init?: RequestInit) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
  })) as typeof fetch;
const url = 'http://127.0.0.1:9';
const engines = {
  ollama: (deps: HttpEngineDeps) => ollamaEngine(deps, { url }),
  openai: (deps: HttpEngineDeps) => openAiCompatibleEngine(deps, { url }),
};

test.each(['ollama', 'openai'] as const)(
  '%s: a list is waited for as long as the limit says, and no longer',
  async (dialect) => {
    const clock = new ManualClock();
    let told: unknown;
    const listing = engines[dialect]({ clock, fetch: silent }).list(new AbortController().signal);
    listing.catch((error: unknown) => (told = error));
    await settle();
    await clock.advance(limits.engineListMs - 1);
    await settle();
    expect(told).toBeUndefined();
    await clock.advance(1);
    await expect(listing).rejects.toThrow(/did not answer in/u);
  },
);

test.each(['ollama', 'openai'] as const)(
  '%s: a caller who leaves waits no longer, whatever the clock says',
  async (dialect) => {
    const leaving = new AbortController();
    const listing = engines[dialect]({ clock: new ManualClock(), fetch: silent }).list(leaving.signal);
    await settle();
    leaving.abort(new Error('the caller has left'));
    await expect(listing).rejects.toBeDefined();
  },
);
