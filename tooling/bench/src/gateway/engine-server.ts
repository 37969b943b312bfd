/** The engine of the gateway bench, a process of its own: the scripted engine behind an OpenAI-compatible server, paced like a real model. */
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { scriptedModel } from '@peerai/llm-bridge';
import { systemClock } from '@peerai/platform';
import { answerTokens, modelName, tokensPerSecond } from './workload.ts';

const model = scriptedModel({ clock: systemClock }, modelName);
if (model === undefined) throw new Error(`the scripted engine has no ${modelName}`);
const generate = model.generate.bind(model);
const prompt = { messages: [{ role: 'user', text: 'go on' }] } as const;

async function answer(response: ServerResponse): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const say = (event: object): void => {
    response.write(
      `data: ${JSON.stringify({ id: 'chat', object: 'chat.completion.chunk', created: 0, model: modelName, ...event })}\n\n`,
    );
  };
  const startMs = performance.now();
  let count = 0;
  for await (const part of generate(prompt, { maxTokens: answerTokens }, left.signal)) {
    if (part.type === 'text-delta') {
      // A schedule, not a pause each: late timers do not add up.
      const waitMs = startMs + (count * 1000) / tokensPerSecond - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      count += 1;
      say({ choices: [{ index: 0, delta: { content: part.text }, finish_reason: null }] });
    }
  }
  say({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  say({ choices: [], usage: { prompt_tokens: 2, completion_tokens: count, total_tokens: count + 2 } });
  response.end('data: [DONE]\n\n');
}

const server = createServer((request, response) => {
  request.resume();
  if (request.url === '/v1/models') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ object: 'list', data: [{ id: modelName, object: 'model', created: 0, owned_by: 'bench' }] }),
    );
  } else if (request.url === '/v1/chat/completions') {
    request.once('end', () => void answer(response).catch(() => response.destroy()));
  } else {
    response.writeHead(404).end();
  }
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` });
});
process.once('disconnect', () => process.exit(0));
