import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { drained } from './flow.ts';

export interface StreamItem {
  readonly type: string;
  readonly data: unknown;
  readonly id?: number;
}

/** How often an idle stream sends a comment, so that proxies keep it and a dead client is noticed, milliseconds. */
const keepAliveMs = 15_000;

/** Writes items as `text/event-stream` until they end or the client goes. Waits for a slow client. */
export async function sendEvents(response: ServerResponse, items: AsyncIterable<StreamItem>): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write(': open\n\n');
  const beat = setInterval(() => response.write(': alive\n\n'), keepAliveMs);
  try {
    for await (const { type, data, id } of items) {
      if (response.destroyed) break;
      const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
      if (!response.write(text)) await drained(response);
    }
  } finally {
    clearInterval(beat);
    response.end();
  }
}

/** Fires when the client goes, or has its whole answer. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone.signal;
}
