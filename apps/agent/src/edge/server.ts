import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import { type AccessFacts, type AccessRules, type AccessVerdict, decideAccess, splitPathKey } from './access.ts';
import { validation } from './body.ts';
import { docsCookieOf, mountDocs } from './docs.ts';
import { EdgeModule } from './edge.module.ts';
import type { ControlHooks } from './hooks.ts';
import { createMetrics } from './metrics.ts';
import { createNetworkSocket } from './network-socket.ts';
import { serveOpen } from './open.ts';
import { ProblemFilter } from './problem.filter.ts';
import { sendRefusal } from './refusal.ts';
import { sendWebResponse, toWebRequest } from './web.ts';

export interface EdgeOptions {
  readonly bind: string;
  readonly port: number;
  readonly rules: Omit<AccessRules, 'isGatewayKey'>;
  /** Folder of the built dashboard; without it `/` says how to build it. */
  readonly pages: string | undefined;
}
export interface Edge {
  readonly port: number;
  /** Ends listening and open streams. Safe to call twice. */
  stop(): Promise<void>;
}

/** One JSON body of the control API, bytes. */
const controlBodyBytesMax = 1_048_576;
/** A client's headers and its whole request body, milliseconds; answers may take longer. */
const headersMs = 10_000;
const requestMs = 60_000;

const pathKeys = new WeakMap<IncomingMessage, string>();

/** The local API: control routes by Nest, the AI gateway, events, pages and metrics, behind one rule for who may call. */
export async function startEdge(
  deps: { readonly peer: Peer; readonly control: ControlHooks; readonly logger: Logger },
  options: EdgeOptions,
): Promise<Edge> {
  const { peer, control, logger } = deps;
  const stopping = new AbortController();
  const metrics = createMetrics(peer, stopping.signal);
  const rules: AccessRules = { ...options.rules, isGatewayKey: (key) => control.keys.isValid(key) };
  const adapter = new FastifyAdapter({
    bodyLimit: controlBodyBytesMax,
    requestTimeout: requestMs,
    forceCloseConnections: true,
    rewriteUrl(request: IncomingMessage) {
      const { url, key } = splitPathKey(request.url ?? '/');
      if (key !== undefined) pathKeys.set(request, key);
      return url;
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(EdgeModule.with(peer, control), adapter, { logger: false });
  app.useGlobalPipes(validation);
  app.useGlobalFilters(new ProblemFilter(logger));
  const fastify = adapter.getInstance();

  fastify.addHook('onRequest', async (request, reply) => {
    const raw = request.raw;
    reply.header('x-request-id', request.id);
    // An agent that looks for engines knows itself and its like by this.
    reply.raw.setHeader('x-peerai', '1');
    const verdict = decideAccess(rules, factsOf(raw, request.url));
    const startedMs = performance.now();
    reply.raw.on('close', () => metrics.answered(verdict.area, (performance.now() - startedMs) / 1000));
    if (!verdict.allowed) {
      metrics.refused(verdict.code);
      reply.hijack();
      sendRefusal(reply.raw, verdict, request.url, request.id);
      return;
    }
    const cors = corsHeaders(verdict);
    for (const [name, value] of Object.entries(cors)) reply.header(name, value);
    if (verdict.preflight) {
      reply.hijack();
      reply.raw.writeHead(204, cors).end();
    } else if (verdict.area === 'gateway') {
      reply.hijack();
      await answerGateway(deps, raw, reply.raw, request.url, cors);
    } else if (verdict.area === 'open') {
      const done = await serveOpen({ peer, metrics, pages: options.pages }, raw, reply.raw, request.url);
      if (done) reply.hijack();
    }
  });

  mountDocs(app);
  await app.init();
  await fastify.ready();
  const server = app.getHttpServer();
  server.headersTimeout = headersMs;
  const onNetwork = createNetworkSocket(peer, stopping.signal);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { url, key } = splitPathKey(request.url ?? '/');
    if (key !== undefined) pathKeys.set(request, key);
    const path = pathOf(url);
    const verdict = decideAccess(rules, factsOf(request, url));
    if (verdict.allowed && path === '/network') return onNetwork(request, socket, head);
    const status = verdict.allowed ? '404 Not Found' : verdict.status === 401 ? '401 Unauthorized' : '403 Forbidden';
    if (!verdict.allowed) metrics.refused(verdict.code);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  await app.listen(options.port, options.bind);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      server.closeAllConnections();
      await app.close();
    },
  };
}

function factsOf(request: IncomingMessage, url: string): AccessFacts {
  const { host, origin, authorization, cookie } = request.headers;
  const apiKey = request.headers['x-api-key'];
  const address = request.socket.remoteAddress ?? '';
  return {
    method: request.method ?? 'GET',
    path: pathOf(url),
    host,
    origin,
    authorization,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
    pathKey: pathKeys.get(request),
    docsCookie: docsCookieOf(cookie),
    remoteLoopback: address === '::1' || /^(?:::ffff:)?127\./.test(address),
  };
}

/** The path as a router sees it: decoded once, so that `/api/%761` is not another road. */
function pathOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url, 'http://local').pathname).replaceAll(/\/{2,}/g, '/');
  } catch {
    return '/';
  }
}

function corsHeaders(verdict: AccessVerdict): Record<string, string> {
  if (!verdict.allowed || verdict.cors === undefined) return {};
  return {
    'access-control-allow-origin': verdict.cors,
    'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type, last-event-id, x-api-key',
    'access-control-expose-headers': 'x-peerai-peer, x-peerai-path, server-timing, x-request-id',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}

async function answerGateway(
  { peer, logger }: { readonly peer: Peer; readonly logger: Logger },
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  cors: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    const web = toWebRequest(request, response, url);
    await sendWebResponse(await peer.gateway.fetch(web), response, cors);
  } catch (error) {
    logger.error('gateway-failed', { error: error instanceof Error ? error.message : 'unknown' });
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"something went wrong here; the log says what","type":"server_error","code":"INTERNAL"}}');
  }
}
