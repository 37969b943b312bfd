import { PeerAiError, type PromptMessage } from '@peerai/core-protocol';
import { ManualClock } from '@peerai/core-protocol/testing';
import type { AssistantText, OpenedEnvelope } from '@peerai/messaging/assistant';
import { expect, test } from 'vitest';
import { chatLimits } from './chat-limits.ts';
import { chatSession } from './chat-session.ts';

type Answer = (messages: readonly PromptMessage[]) => Promise<string>;

/** assistant_b's side, talking to assistant_a. */
function side(answer: Answer = async (messages) => `re ${messages.at(-1)?.text}`, send?: () => void) {
  const clock = new ManualClock();
  const [sent, said, logged]: [AssistantText[], string[], string[]] = [[], [], []];
  const session = chatSession(
    {
      clock,
      answer,
      send: (line) => {
        send?.();
        sent.push(line);
      },
      say: (event) => void said.push(event),
      log: ({ from }, { text }) => void logged.push(`${from} ${text}`),
    },
    { self: 'assistant_b', peer: 'assistant_a', conversationId: 'own' },
    new AbortController().signal,
  );
  let count = 0;
  const hear = (text: string, more: Partial<OpenedEnvelope> = {}): void => {
    count += 1;
    session.heard({ id: String(count), from: 'assistant_a', text, type: 'user', userInitiated: true, ...more });
  };
  return { ...session, clock, sent, said, logged, hear };
}

test('what a person wrote is answered once, in its conversation, as said by no person', async () => {
  const { hear, idle, sent, logged } = side();
  hear('hi', { conversationId: 'c1' });
  await idle();
  expect(sent).toEqual([{ text: 're hi', type: 'bot', userInitiated: false, conversationId: 'c1' }]);
  expect(logged).toEqual(['assistant_a hi', 'assistant_b re hi']);
});

test('what no person wrote, and what a third one wrote, is shown and not answered', async () => {
  const { hear, idle, sent, said } = side();
  hear('re hi', { type: 'bot', userInitiated: false });
  hear('hi', { from: 'assistant_c' });
  hear('Handshake Init', { from: 'assistant_c', type: 'handshake' });
  await idle();
  expect([said, sent]).toEqual([['received', 'received', 'handshake'], []]);
});

test('two of them end after one answer', async () => {
  const sides = [side(), side()] as const;
  const [a, b] = sides;
  a.typed('hi');
  for (let turn = 0; turn < 5; turn += 1) {
    for (const line of a.sent.splice(0)) b.hear(line.text, line);
    for (const line of b.sent.splice(0)) a.hear(line.text, line);
    await Promise.all([a.idle(), b.idle()]);
  }
  expect([a.said, b.said]).toEqual([
    ['sent', 'received'],
    ['received', 'answered'],
  ]);
});

test('a greeting is answered, an answer to one is not, and not more often than every greetMsMin', async () => {
  const { greet, hear, sent, clock } = side();
  greet();
  hear('Handshake ACK', { type: 'handshake', userInitiated: false });
  expect(sent.splice(0).map(({ text }) => text)).toEqual(['Handshake Init']);
  for (const waitMs of [0, chatLimits.greetMsMin - 1, 1]) {
    await clock.advance(waitMs);
    hear('Handshake Init', { type: 'handshake', userInitiated: false });
  }
  hear('something', { type: 'handshake' });
  expect(sent.map(({ text }) => text)).toEqual(['Handshake ACK', 'Handshake ACK']);
});

test('the model hears the last messagesMax messages of this conversation, and none of another', async () => {
  const heard: number[] = [];
  const { hear, idle } = side(async (messages) => {
    heard.push(messages.length - 1);
    return 'yes';
  });
  const turns = chatLimits.messagesMax / 2 + 2;
  for (let turn = 0; turn < turns; turn += 1) hear('hi', { conversationId: 'c1' });
  hear('hi', { conversationId: 'c2' });
  await idle();
  expect(heard).toEqual([0, 2, 4, 6, 8, 10, 12, 12, 0]);
});

test('questionsMax lines wait for answers, one more is shown and gets none', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { hear, idle, sent, said } = side(() => promise);
  for (let n = 0; n < chatLimits.questionsMax; n += 1) hear('hi');
  expect(said).not.toContain('not-answered');
  hear('one more');
  expect(said.slice(-2)).toEqual(['received', 'not-answered']);
  resolve('yes');
  await idle();
  expect(sent).toHaveLength(chatLimits.questionsMax);
});

test('no answer is said on both sides by its code, and the next line is answered', async () => {
  const outcomes = [
    () => Promise.reject(new PeerAiError('MODEL_UNKNOWN', 'no such model')),
    () => Promise.reject(new TypeError('private')),
    async () => '',
    async () => 'yes',
  ];
  const { hear, idle, sent, said } = side(async () => (await outcomes.shift()?.()) ?? '');
  for (let n = 0; n < 4; n += 1) hear('hi');
  await idle();
  expect(sent.map(({ text }) => text)).toEqual([
    '(no answer: MODEL_UNKNOWN)',
    '(no answer: INTERNAL)',
    '(no answer: ENGINE_FAILED)',
    'yes',
  ]);
  expect(said.filter((event) => event !== 'received')).toEqual([
    'not-answered',
    'not-answered',
    'not-answered',
    'answered',
  ]);
});

test('an answer that cannot be sent ends nothing', async () => {
  let isFull = true;
  const { hear, idle, sent, said } = side(undefined, () => {
    if (isFull) throw new PeerAiError('LIMIT_REACHED', 'full');
  });
  hear('one');
  await idle();
  expect(said).toContain('not-sent');
  isFull = false;
  hear('two');
  await idle();
  expect(sent.map(({ text }) => text)).toEqual(['re two']);
});
