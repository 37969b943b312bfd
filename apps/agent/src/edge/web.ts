import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { drained } from './flow.ts';

/** A Node request as a web one. Its signal fires when the client goes away before the answer ended. */
export function toWebRequest(request: IncomingMessage, response: ServerResponse, url: string): Request {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value);
    else if (value !== undefined) for (const one of value) headers.append(name, one);
  }
  const method = request.method ?? 'GET';
  const bodyless = method === 'GET' || method === 'HEAD';
  return new Request(new URL(url, `http://${request.headers.host ?? 'localhost'}`), {
    method,
    headers,
    signal: gone.signal,
    ...(bodyless ? {} : { body: Readable.toWeb(request) as ReadableStream<Uint8Array>, duplex: 'half' as const }),
  });
}

/** Writes a web response to a Node one, waiting whenever the client reads slower than we write. Throws what breaks the body. */
export async function sendWebResponse(web: Response, response: ServerResponse): Promise<void> {
  response.writeHead(web.status, Object.fromEntries(web.headers));
  if (web.body === null) {
    response.end();
    return;
  }
  const reader = web.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (!response.write(value)) await drained(response);
    }
    response.end();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
