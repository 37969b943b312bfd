import type { LanguageModel } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { languageModelContract } from '../testing/contract.ts';
import { realClock as clock } from '../testing/real-clock.ts';
import { pause } from '../testing/wire-server.ts';
import type { HistoryItem, LlamaBinding } from './binding.ts';
import { llamaCppEngine } from './engine.ts';

const never = new AbortController().signal;
const path = '/models/tiny.Q4.gguf';

describe('llamaCppEngine', () => {
  it('says which package is missing and how to install it', async () => {
    const engine = llamaCppEngine({ clock }, { path });
    for (const asked of [engine.list(never), engine.model('tiny.Q4', never)]) {
      await expect(asked).rejects.toMatchObject({
        code: 'ENGINE_MISSING',
        message: expect.stringContaining('npm install node-llama-cpp@3'),
      });
    }
  });

  it('takes the path of a GGUF file and nothing else', () => {
    for (const wrong of ['', '/', '.gguf', '/models/tiny.bin', '/models/tiny.gguf/']) {
      expect(() => llamaCppEngine({ clock }, { path: wrong })).toThrow(
        expect.objectContaining({ code: 'INVALID_FORMAT' }),
      );
    }
    expect(() => llamaCppEngine({ clock }, { path, name: '' })).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT' }),
    );
  });

  it('asks for prebuilt binaries on the CPU, once, and frees each context', async () => {
    const { binding, seen } = fakeBinding(0);
    const { model } = await modelOf(binding);
    expect(model.card).toMatchObject({ name: 'tiny.Q4', loaded: false });
    await model.warm?.(never);
    await Array.fromAsync(
      model.generate(
        {
          messages: [
            { role: 'system', text: 'be kind' },
            { role: 'assistant', text: 'yes' },
            { role: 'user', text: 'hi' },
          ],
        },
        { maxTokens: 9, stop: ['END'] },
        never,
      ),
    );
    expect(model.card).toMatchObject({ loaded: true, memoryBytes: 5, contextTokensMax: 2_048 });
    expect(seen).toMatchObject({
      llama: [{ build: 'never', gpu: false }],
      loaded: [{ modelPath: path }],
      histories: [
        [
          { type: 'system', text: 'be kind' },
          { type: 'model', response: ['yes'] },
          { type: 'user', text: 'hi' },
        ],
      ],
      contexts: 0,
    });
  });

  it('refuses a prompt that fills its context, and takes one token less', async () => {
    const { binding, seen } = fakeBinding(0);
    const { model } = await modelOf(binding);
    const ask = (words: number) => {
      const messages = [{ role: 'user' as const, text: Array.from({ length: words }, () => 'w').join(' ') }];
      return Array.fromAsync(model.generate({ messages }, { maxTokens: 1 }, never));
    };
    await expect(ask(limits.contextTokensAssumed)).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' });
    expect(await ask(limits.contextTokensAssumed - 1)).toHaveLength(2);
    expect(seen.contexts).toBe(0);
  });

  it('is ENGINE_FAILED for a file that cannot be loaded, and tries again the next time', async () => {
    const { binding, seen } = fakeBinding(0);
    const { model } = await modelOf(binding);
    seen.broken = true;
    await expect(model.warm?.(never)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    seen.broken = false;
    await model.warm?.(never);
  });
});

languageModelContract('The llama.cpp engine over a stand-in of its binding', async () => {
  const { binding, seen } = fakeBinding(0);
  const slow = fakeBinding(20);
  const failing = fakeBinding(0, 2);
  return {
    model: (await modelOf(binding)).model,
    slow: (await modelOf(slow.binding)).model,
    failing: [{ code: 'ENGINE_FAILED', model: (await modelOf(failing.binding)).model }],
    working: () => seen.contexts + slow.seen.contexts + failing.seen.contexts,
  };
});

async function modelOf(binding: LlamaBinding): Promise<{ readonly model: LanguageModel }> {
  const models = await llamaCppEngine({ clock, load: async () => binding }, { path }).list(never);
  return { model: models.at(0) as LanguageModel };
}

interface CountingSequence {
  readonly tokenMeter: { usedInputTokens: number; usedOutputTokens: number };
}

/** What node-llama-cpp 3.22 documents, without a model: words for tokens. It shows our side of the conversation, not that the real one keeps to it. */
function fakeBinding(tokenMs: number, failsAfter = Number.POSITIVE_INFINITY) {
  const seen = {
    llama: [] as object[],
    loaded: [] as object[],
    histories: [] as (readonly HistoryItem[])[],
    contexts: 0,
    broken: false,
  };
  const words = tokenMs > 0 ? Array.from({ length: 300 }, () => ' slow') : ['one', ' two', ' three'];
  const binding: LlamaBinding = {
    async getLlama(options) {
      seen.llama.push(options);
      return { loadModel };
    },
    LlamaChat: class {
      readonly #sequence: CountingSequence;
      constructor({ contextSequence }: { contextSequence: unknown }) {
        this.#sequence = contextSequence as CountingSequence;
      }
      async generateResponse(
        history: readonly HistoryItem[],
        {
          signal,
          maxTokens,
          onTextChunk,
        }: { signal: AbortSignal; maxTokens: number; onTextChunk: (text: string) => void },
      ) {
        seen.histories.push(history);
        for (const [index, word] of words.slice(0, maxTokens).entries()) {
          await pause(tokenMs);
          signal.throwIfAborted();
          if (index === failsAfter) throw new Error('native trouble');
          this.#sequence.tokenMeter.usedOutputTokens += 1;
          onTextChunk(word);
        }
        return { metadata: { stopReason: maxTokens < words.length ? 'maxTokens' : 'eogToken' } };
      }
    },
  };
  const loadModel = async (options: { readonly modelPath: string }) => {
    if (seen.broken) throw new Error('no such file');
    seen.loaded.push(options);
    return {
      size: 5,
      trainContextSize: 2_048,
      tokenize: (text: string) => text.split(' '),
      async createContext({ contextSize }: { readonly contextSize: { readonly max: number } }) {
        seen.contexts += 1;
        return {
          contextSize: contextSize.max,
          getSequence: () => ({ tokenMeter: { usedInputTokens: 3, usedOutputTokens: 0 } }),
          dispose: async () => void (seen.contexts -= 1),
        };
      },
      createEmbeddingContext: async () => ({
        getEmbeddingFor: async () => ({ vector: [3, 4] }),
        dispose: async () => undefined,
      }),
    };
  };
  return { binding, seen };
}
