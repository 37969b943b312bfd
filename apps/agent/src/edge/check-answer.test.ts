import { createIdentity, type LanguageModel, utf8 } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import { attestAnswers, encodeAnswerFile } from '@peerai/llm-bridge/proof';
import { createControlClient } from '@peerai/peer/control';
import { expect, test } from 'vitest';
import { testEdge, token } from '../../test/edge.ts';

const never = new AbortController().signal;

test('an answer of a model that was trained elsewhere is taken in as a file, and nobody accused without its weights', async () => {
  const world = await testEdge();
  try {
    const identity = createIdentity(nodeCrypto, new Uint8Array(32).fill(7));
    const attest = attestAnswers({ identity, crypto: nodeCrypto, clock: { nowMs: () => 1 } });
    const model: LanguageModel = {
      specification: 1,
      card: {
        name: 'fox',
        engine: 'trained',
        contextTokensMax: 64,
        memoryBytes: 0,
        loaded: true,
        deterministic: true,
        fits: true,
      },
      async *generate() {
        yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, answerTokens: 1 } };
      },
      identify: async () => ({ weights: new Uint8Array(32), engine: 'trained', version: '1 wasm-simd' }),
    };
    const [prompt, answer] = [{ messages: [{ role: 'user', text: 'who?' } as const] }, utf8('a fox')];
    const facts = { requestId: 'r', prompt, sampling: { maxTokens: 9 }, answer: [answer], reason: 'stop' } as const;
    const statement = (await attest(model, facts, never)) ?? new Uint8Array();
    const client = createControlClient({ baseUrl: world.base, token });
    const check = async (bytes: Uint8Array): Promise<unknown> => client.checkAnswer(new Blob([bytes.slice()]));
    await expect(check(encodeAnswerFile({ statement, prompt, answer }))).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining('not with these weights') as string,
    });
    const other = check(encodeAnswerFile({ statement, prompt, answer: utf8('a hen') }));
    await expect(other).rejects.toMatchObject({ code: 'HASH_MISMATCH' });
    await expect(check(utf8('rubbish'))).rejects.toMatchObject({ code: 'INVALID_FORMAT' });
  } finally {
    await world.stop();
  }
});
