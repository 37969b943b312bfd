import { type Codec, PeerAiError, utf8 } from '@peerai/core-protocol';
import { seededRandom } from '@peerai/core-protocol/testing';
import { threadMs } from '@peerai/config/thread-time';
import { describe, expect, it } from 'vitest';
import { LlamaRefusal, parseRequest } from '../llama-1/request.ts';
import { embedClientFrame, embedProviderFrame } from './embed-protocol.ts';
import { modelListMethod } from './model-list.ts';
import { clientFrame, encodeClientFrame, encodeProviderFrame, providerFrame } from './protocol.ts';
import { readQuestion } from './question.ts';

const ask = {
  requestId: 'r1',
  model: 'echo',
  messages: [{ role: 'user' as const, text: 'hello' }],
  maxTokens: 9,
  temperature: 0.5,
  topP: 0.9,
  seed: 7,
  stop: ['a', 'b'],
  grant: utf8('proof'),
  resumeOffset: 12,
};
const finish = {
  reason: 'stop' as const,
  promptTokens: 1,
  answerTokens: 2,
  estimated: true,
  receiptHalf: utf8('half'),
  suggestions: ['x'],
  statement: utf8('said'),
};
const card = {
  name: 'echo',
  engine: 'scripted',
  contextTokensMax: 4_096,
  memoryBytes: 1,
  loaded: true,
  deterministic: true,
  fits: true,
  embeds: true,
  description: 'a',
};
const llama = '{"prompt":"x","max_tokens":9,"temperature":0.7,"parameters":{"stop":["a"],"seed":1},"apiKey":"k"}';
const decoded =
  <T>(codec: Codec<T>, then: (value: T) => unknown = () => undefined) =>
  (bytes: Uint8Array) =>
    then(codec.decode(bytes));

const cases: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => unknown])[] = [
  [
    'a client frame',
    encodeClientFrame({ kind: 'ask', ask }),
    decoded(clientFrame, (frame) => frame.ask && readQuestion(frame.ask)),
  ],
  [
    'a provider frame',
    encodeProviderFrame({ kind: 'finish', finish, position: 3, units: 9, offset: 4, text: 'é' }),
    decoded(providerFrame),
  ],
  [
    'an embed ask',
    embedClientFrame.encode({
      kind: 'ask',
      ask: { requestId: 'r', model: 'm', texts: ['a'], grant: utf8('g') },
      receipt: undefined,
    }),
    decoded(embedClientFrame),
  ],
  [
    'vectors',
    embedProviderFrame.encode({
      kind: 'vectors',
      vectors: { dimensions: 1, rows: new Uint8Array(4), promptTokens: 1, receiptHalf: utf8('h') },
      error: undefined,
    }),
    decoded(embedProviderFrame),
  ],
  ['a model list', modelListMethod.response.encode({ cards: [card] }), decoded(modelListMethod.response)],
  ['a request of /llama/1.0.0', utf8(llama), parseRequest],
];

describe('10,000 mutations of', () => {
  it.each(cases)('%s are read or refused, never anything else, none slowly', (_, whole, read) => {
    const bytes = seededRandom(11).bytes(60_000);
    let place = 0;
    const next = (below: number): number => (((bytes[place++] ?? 0) << 8) | (bytes[place++] ?? 0)) % below;
    read(whole);
    let refused = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const mutated = whole.slice(0, round % 5 === 0 ? next(whole.length) : whole.length);
      for (let change = 0; change < 1 + (round % 2) && mutated.length > 0; change += 1)
        mutated[next(mutated.length)] = next(256);
      const tryIt = (): number => {
        const startedMs = threadMs();
        try {
          read(mutated);
        } catch (error) {
          refused += 1;
          expect(PeerAiError.is(error) || error instanceof LlamaRefusal).toBe(true);
        }
        return threadMs() - startedMs;
      };
      // A slow input is slow each time; a busy machine is not.
      if (tryIt() > 50) expect(Math.min(tryIt(), tryIt(), tryIt())).toBeLessThan(50);
    }
    expect(refused).toBeGreaterThan(100);
  });
});
