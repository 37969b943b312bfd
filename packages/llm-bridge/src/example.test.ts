import type { Admission, LanguageModel } from '@peerai/core-protocol';
import { memoryWorld } from '@peerai/core-protocol/testing';
import {
  createGateway,
  listRemoteModels,
  remoteModel,
  scriptedEngine,
  serveModelList,
  serveModels,
} from '@peerai/llm-bridge';

const { signal } = new AbortController();
const provider = memoryWorld({ seed: 1 });
const consumer = memoryWorld({ seed: 2, clock: provider.clock, networks: provider.networks });

// The provider: everybody may ask, nothing is booked. A real Admission checks tickets and keeps the budget.
const admission: Admission = {
  reserve: async ({ units }) => ({
    units,
    revoked: signal,
    settle: async () => new Uint8Array(),
    countersigned: async () => {},
    release: async () => {},
  }),
};
const models = await scriptedEngine(provider).list(signal);
using shared = serveModels({ ...provider, admission, models: () => models });
using listed = serveModelList(provider.network, () => models.map(({ card }) => card));

// The consumer: the provider's models behind an OpenAI face of its own.
const peer = provider.identity.peer;
const remote = (await listRemoteModels(consumer, peer, { signal })).map((card) =>
  remoteModel(consumer, { peer, card }),
);
const gateway = createGateway({
  ...consumer,
  self: consumer.identity.peer,
  catalogue: {
    list: async () =>
      remote.map(({ card }) => ({ name: `${card.name}@study-pc`, card, peer, owner: 'study-pc', local: false })),
    resolve: async (name) => ({
      model: remote.find(({ card }) => `${card.name}@study-pc` === name) as LanguageModel,
      servedBy: () => ({ peer, path: 'direct' }),
    }),
  },
});
const body = JSON.stringify({ model: 'echo@study-pc', messages: [{ role: 'user', content: 'hello' }] });
const response = await gateway.fetch(new Request('http://127.0.0.1/v1/chat/completions', { method: 'POST', body }));
const answer = (await response.json()) as { choices: { message: { content: string } }[] };
console.log(answer.choices[0]?.message.content, response.headers.get('x-peerai-peer') === peer); // echo: hello true
// ── the example in README.md ends here
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('The example in README.md is this file, and does what it says', async () => {
  expect(answer.choices[0]?.message.content).toBe('echo: hello');
  expect(response.headers.get('x-peerai-peer')).toBe(peer);
  expect([shared.running, typeof listed[Symbol.dispose]]).toEqual([0, 'function']);
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');
  const [example] = (await read('./example.test.ts')).split('// ── the example');
  const [, block] = (await read('../README.md')).split(/```ts\n|```\n/);
  expect(block).toBe(example);
});
