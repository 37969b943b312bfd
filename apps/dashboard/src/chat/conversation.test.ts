import { PeerAiError } from '@peerai/core-protocol';
import type { ChatEvent, ChatRequest } from '@peerai/peer/control';
import { describe, expect, it } from 'vitest';
import { limits } from '../app/limits.ts';
import { createConversation } from './conversation.ts';

const servedBy = { peerId: 'p', name: 'study-pc', path: 'direct' as const };
const finish = {
  type: 'finish',
  reason: 'stop',
  promptTokens: 1,
  answerTokens: 1,
  firstTokenMs: 1,
  totalMs: 1,
  tokensPerSecond: 1,
  servedBy,
} as const satisfies ChatEvent;

function memory() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

/** A model from a script; `undefined` in the script waits for the signal. */
function scripted(...script: readonly (ChatEvent | Error | undefined)[]) {
  const asked: ChatRequest[] = [];
  return {
    asked,
    async *chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatEvent> {
      asked.push(request);
      for (const step of script) {
        if (step instanceof Error) throw step;
        if (step === undefined)
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        else yield step;
      }
    },
  };
}

describe('A conversation', () => {
  it('lets a question use the memory, and the same question again too', async () => {
    const client = scripted({ type: 'delta', text: 'Yes.' }, { ...finish, sources: [] });
    const conversation = createConversation({ client, storage: memory() });
    for (const [text, recalls] of [
      ['plain', false],
      ['with', true],
    ] as const) {
      conversation.ask(text, 'a', recalls);
      await expect.poll(() => conversation.turns.at(-1)).toMatchObject({ state: 'done' });
    }
    conversation.askAgain('b');
    await expect.poll(() => conversation.turns.at(-1)).toMatchObject({ state: 'done', model: 'b' });
    expect(client.asked.map((request) => request.memory)).toEqual([undefined, {}, {}]);
    expect(client.asked[1]?.messages).toEqual([
      { role: 'user', text: 'plain' },
      { role: 'assistant', text: 'Yes.' },
      { role: 'user', text: 'with' },
    ]);
  });

  it('asks with everything said so far', async () => {
    const client = scripted({ type: 'delta', text: 'Yes.' }, finish);
    const conversation = createConversation({ client, storage: memory() });
    conversation.ask(' One? ', 'a');
    await expect.poll(() => conversation.turns.at(-1)).toMatchObject({ state: 'done', text: 'Yes.' });
    conversation.ask('Two?', 'b');
    expect(client.asked[1]).toEqual({
      model: 'b',
      messages: [
        { role: 'user', text: 'One?' },
        { role: 'assistant', text: 'Yes.' },
        { role: 'user', text: 'Two?' },
      ],
    });
  });

  it('asks one thing at a time and nothing empty', () => {
    const client = scripted(undefined);
    const conversation = createConversation({ client, storage: memory() });
    conversation.ask('  ', 'a');
    conversation.ask('One?', 'a');
    conversation.ask('Two?', 'a');
    expect(client.asked).toHaveLength(1);
    conversation.stop();
  });

  it('keeps what was said when it is stopped', async () => {
    const conversation = createConversation({
      client: scripted({ type: 'delta', text: 'Ye' }, undefined),
      storage: memory(),
    });
    conversation.ask('One?', 'a');
    await expect.poll(() => conversation.turns.at(-1)?.text).toBe('Ye');
    conversation.stop();
    await expect.poll(() => conversation.turns.at(-1)).toMatchObject({ state: 'stopped', text: 'Ye' });
  });

  it('keeps what was said when the agent goes away, and can ask again', async () => {
    const storage = memory();
    const client = scripted(
      { type: 'delta', text: 'Ye' },
      new PeerAiError('MODEL_BUSY', 'too many wait', { hint: 'wait a minute' }),
    );
    const conversation = createConversation({ client, storage });
    conversation.ask('One?', 'a');
    const broken = {
      state: 'failed',
      text: 'Ye',
      error: { code: 'MODEL_BUSY', message: 'too many wait', hint: 'wait a minute' },
    };
    await expect.poll(() => conversation.turns.at(-1)).toMatchObject(broken);
    conversation.askAgain('b');
    await expect.poll(() => conversation.turns.at(-1)).toMatchObject({ ...broken, model: 'b' });
    expect(conversation.turns).toHaveLength(2);
    expect(createConversation({ client, storage }).turns.at(-1)).toMatchObject(broken);
  });

  it('shows an answer that a reload cut off as broken', () => {
    const storage = memory();
    storage.setItem(
      'peerai.conversation',
      JSON.stringify([{ role: 'assistant', text: 'Ye', model: 'a', state: 'streaming' }]),
    );
    expect(createConversation({ client: scripted(), storage }).turns[0]).toMatchObject({ state: 'failed', text: 'Ye' });
  });

  it('forgets everything when it is cleared in the middle of an answer', async () => {
    const storage = memory();
    const conversation = createConversation({ client: scripted({ type: 'delta', text: 'Ye' }, undefined), storage });
    conversation.ask('One?', 'a');
    await expect.poll(() => conversation.turns.at(-1)?.text).toBe('Ye');
    conversation.clear();
    await new Promise((resolve) => setTimeout(resolve));
    expect(conversation.turns).toEqual([]);
    expect(storage.kept.size).toBe(0);
  });

  it.each([limits.messageCharsMax, limits.messageCharsMax + 1])(
    'sends at most its limit of characters (%i given)',
    (length) => {
      const client = scripted(undefined);
      const conversation = createConversation({ client, storage: memory() });
      conversation.ask('x'.repeat(length), 'a');
      expect(client.asked[0]?.messages[0]?.text).toHaveLength(limits.messageCharsMax);
      conversation.stop();
    },
  );
});
