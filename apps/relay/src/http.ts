import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { servePage } from './page.ts';

export interface RelayFace {
  readonly health: () => object;
  readonly stats: () => object;
  readonly metrics: () => Promise<string>;
  /** Folder of the pages that links open. */
  readonly page: string | undefined;
}

/** Milliseconds a client may take for its headers and for a whole request; slow ones are cut. */
const headersMs = 10_000;
const requestMs = 15_000;
const connectionsMax = 4_096;

/** The relay's HTTP side: read-only, no bodies, nothing that needs a right. WebSocket upgrades are libp2p's and signalling's. */
export function createFace(face: RelayFace): Server {
  const server = createServer((request, response) => {
    route(face, request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.maxConnections = connectionsMax;
  return server;
}

async function route(face: RelayFace, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request.url ?? '/');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return json(response, 405, { error: 'this relay only answers GET' });
  }
  if (path === '/health') return json(response, 200, face.health());
  if (path === '/stats') return json(response, 200, face.stats());
  if (path === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(await face.metrics());
    return;
  }
  if (face.page !== undefined && (await servePage(face.page, path, request, response))) return;
  if (path === '/')
    return json(response, 200, {
      service: 'peerai-relay',
      see: ['/health', '/stats', '/metrics', ...(face.page === undefined ? [] : ['/s', '/t'])],
    });
  return json(response, 404, { error: `nothing at ${path.slice(0, 100)}` });
}

/** The path of a request target, as it came: what is encoded stays encoded, and fits no file then. */
export function pathOf(target: string): string {
  return (target.split(/[?#]/, 1)[0] ?? '/').replaceAll(/\/{2,}/g, '/');
}

function json(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(text);
}
