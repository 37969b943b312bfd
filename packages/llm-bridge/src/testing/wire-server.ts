import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came; `body` parsed when it is JSON. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // Each test knows the shape of what it asks for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}
export interface WireServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Requests whose answer has not ended and whose connection lives. */
  readonly working: () => number;
  readonly stop: () => Promise<void>;
}

/** A true HTTP server on the loopback: what an engine looks like from outside. */
export async function startWireServer(
  answer: (asked: Asked, reply: ServerResponse) => Promise<void> | void,
): Promise<WireServer> {
  const asked: Asked[] = [];
  let working = 0;
  const server = createServer((request, reply) => {
    working += 1;
    reply.once('close', () => (working -= 1));
    void (async () => {
      let text = '';
      request.setEncoding('utf8');
      for await (const piece of request) text += piece as string;
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      asked.push(one);
      await answer(one, reply);
    })().catch(() => reply.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    working: () => working,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const sendJson = (reply: ServerResponse, body: unknown, status = 200): void =>
  void reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Sends a text `sizeBytes` at a time, each in its own packet: inside of lines, and inside of characters. */
export async function dribble(reply: ServerResponse, text: string, sizeBytes: number, pauseMs = 1): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let start = 0; start < bytes.length && !reply.destroyed; start += sizeBytes) {
    reply.write(bytes.subarray(start, start + sizeBytes));
    await pause(pauseMs);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
