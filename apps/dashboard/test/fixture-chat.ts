import type { ServerResponse } from 'node:http';
import type { ChatEvent } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';

const rememberedSource = {
  id: '5a1f'.repeat(16),
  summary: 'The sea has 35 grams of salt a litre',
  level: 'public',
  author: '12D3KooWStudy',
  authorName: 'study-pc',
  kind: 'lexical',
  score: 0.61,
} as const;

/** A scripted model: the last message decides what happens. */
export async function answerChat(
  request: ReturnType<typeof schemas.chatRequestSchema.parse>,
  response: ServerResponse,
): Promise<void> {
  const question = request.messages.at(-1)?.text ?? '';
  const name = request.model.split('@')[1] ?? 'laptop';
  const remote = name !== 'laptop';
  const servedBy = { peerId: '12D3KooWStudy', name, path: remote ? ('direct' as const) : ('local' as const) };
  const words = `You asked: ${question}. The answer comes in words, one after the other.`.split(' ');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const write = (event: ChatEvent): void => {
    const { type, ...data } = schemas.chatEventSchema.parse(event);
    response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  write({ type: 'start', model: request.model, servedBy });
  const endless = question.includes('endless');
  const wordsMax = endless ? Infinity : words.length;
  for (let i = 0; !response.destroyed && i < wordsMax; i += 1) {
    write({ type: 'delta', text: `${i === 0 ? '' : ' '}${words[i % words.length]}` });
    if (question.includes('break') && i === 4) {
      write({ type: 'error', code: 'PEER_UNREACHABLE', message: 'the link to study-pc was lost' });
      response.end();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, endless ? 40 : 4));
  }
  const receipt = {
    provider: '12D3KooWStudy',
    consumer: '12D3KooWLaptop',
    lease: '5e07c1d95e07c1d9',
    n: 3,
    requestId: 'r-5e07',
    model: request.model,
    promptTokens: 31,
    answerTokens: 118,
    estimated: false,
    totalPromptTokens: 90,
    totalAnswerTokens: 350,
    workHash: 'b1f077ac3e92aa01'.repeat(4),
    timeMs: Date.now(),
    signedBy: 'both' as const,
  };
  write({
    type: 'finish',
    reason: 'stop',
    promptTokens: 31,
    answerTokens: 118,
    firstTokenMs: 210,
    totalMs: 2_800,
    tokensPerSecond: 42,
    servedBy: remote ? { ...servedBy, signed: true, receipt } : servedBy,
    ...(request.memory === undefined ? {} : { sources: question.includes('nothing') ? [] : [rememberedSource] }),
    ...(question.includes('unsure') ? { suggestions: ['How do I add a device?', 'What is a relay?'] } : {}),
  });
  response.end();
}
