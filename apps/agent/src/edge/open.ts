import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Peer } from '@peerai/peer';
import type { EdgeMetrics } from './metrics.ts';
import { servePages } from './pages.ts';

export interface OpenParts {
  readonly peer: Peer;
  readonly metrics: EdgeMetrics;
  readonly pages: string | undefined;
}

/**
 * Health, metrics and pages. False when the path is none of them.
 * @param owner - may be told what is broken, not only that something is
 */
export async function serveOpen(
  { peer, metrics, pages }: OpenParts,
  request: IncomingMessage,
  response: ServerResponse,
  { path, owner }: { readonly path: string; readonly owner: boolean },
): Promise<boolean> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (path === '/health/live') return json(response, 200, { status: 'live' });
  if (path === '/health/ready') return ready(peer, response, owner);
  if (path === '/metrics') {
    const { contentType, text } = await metrics.read();
    response.writeHead(200, { 'content-type': contentType }).end(text);
    return true;
  }
  const asPage = request.headers.accept?.includes('text/html') === true;
  if (path === '/' && !asPage) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('PeerAI is running\n');
    return true;
  }
  if (pages !== undefined && (await servePages(pages, { path, asPage }, request, response))) return true;
  if (path !== '/') return false;
  response
    .writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    .end('PeerAI is running. The dashboard is not built: run `pnpm build`.\n');
  return true;
}

async function ready(peer: Peer, response: ServerResponse, owner: boolean): Promise<true> {
  const { checks } = await peer.doctor.check();
  const broken = checks.filter(({ state }) => state === 'broken').map(({ id }) => id);
  return json(response, broken.length === 0 ? 200 : 503, {
    status: broken.length === 0 ? 'ready' : 'not ready',
    ...(owner ? { broken } : {}),
  });
}

function json(response: ServerResponse, status: number, body: object): true {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
  return true;
}
