import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AccessFacts, type AccessRules, type AccessVerdict, decideAccess, splitPathKey } from './access.ts';
import { beginDocsSession, type Docs, docsCodeOf, docsCookieOf, docsTokenOf } from './docs.ts';
import { answerGateway } from './gateway.ts';
import type { EdgeMetrics } from './metrics.ts';
import { serveOpen } from './open.ts';
import { readTarget, type RequestPath } from './path.ts';
import { problemBody, sendProblem } from './problem.ts';
import { sendRefusal } from './refusal.ts';
import type { EdgeDeps } from './server.ts';
import { sessionPath } from './session-codes.ts';

export interface GateOptions {
  readonly rules: AccessRules;
  readonly metrics: EdgeMetrics;
  readonly pages: string | undefined;
  readonly docs: Docs;
}
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface Gate {
  /** Takes a path key off a request's target and writes the target in one spelling. */
  readonly rewrite: (request: IncomingMessage) => string;
  /** Lets a request to the controllers, answers it itself, or refuses it. */
  readonly onRequest: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** The same rule for upgrades. */
  readonly onUpgrade: (network: Upgrade) => Upgrade;
}

/** The one door: every request and upgrade is judged here, and only `/api` goes on to the controllers. */
export function createGate(deps: EdgeDeps, { rules, metrics, pages, docs }: GateOptions): Gate {
  const pathKeys = new WeakMap<IncomingMessage, string>();
  const rewrite = (request: IncomingMessage): string => {
    const { url, key } = splitPathKey(readTarget(request.url ?? '/').url);
    if (key !== undefined) pathKeys.set(request, key);
    return url;
  };
  return {
    rewrite,
    async onRequest({ raw, url, id }, reply) {
      const target = readTarget(url);
      const token = docsTokenOf(target) ?? tokenFor(docsCodeOf(target));
      const facts = factsOf(raw, target.path, pathKeys.get(raw));
      const verdict = decideAccess(rules, token === undefined ? facts : { ...facts, authorization: `Bearer ${token}` });
      const startedMs = performance.now();
      reply.raw.once('close', () => metrics.answered(verdict.area, (performance.now() - startedMs) / 1000));
      const headers = { 'x-request-id': id, ...corsHeaders(rules, facts) };
      for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value);
      if (!verdict.allowed) {
        metrics.refused(verdict.code);
        reply.hijack();
        sendRefusal(reply.raw, verdict, { path: target.path, requestId: id });
      } else if (verdict.preflight) {
        reply.hijack();
        reply.raw.writeHead(204).end();
      } else if (token !== undefined) {
        reply.hijack();
        beginDocsSession(reply.raw, rules.docsSession);
      } else await pass(verdict, target, raw, reply);
    },
    onUpgrade: (network) => (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      const { path } = readTarget(rewrite(request));
      const verdict = decideAccess(rules, factsOf(request, path, pathKeys.get(request)));
      if (verdict.allowed && path === '/network') return network(request, socket, head);
      if (!verdict.allowed) metrics.refused(verdict.code);
      const status = verdict.allowed ? '404 Not Found' : verdict.status === 401 ? '401 Unauthorized' : '403 Forbidden';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    },
  };

  /** The control token for a good code; for any other the code itself, which is a wrong token. */
  function tokenFor(code: string | undefined): string | undefined {
    return code !== undefined && deps.control.codes.take(code) ? rules.controlToken : code;
  }

  async function pass(
    { area, owner }: Extract<AccessVerdict, { allowed: true }>,
    target: RequestPath,
    raw: IncomingMessage,
    reply: FastifyReply,
  ): Promise<void> {
    if (area === 'control' || target.path === sessionPath) return;
    reply.hijack();
    if (area === 'docs') return docs.answer(raw, reply.raw, reply.request.id);
    if (area === 'gateway') return answerGateway(deps, raw, reply.raw, target.url);
    const requestId = reply.request.id;
    if (area === 'events') {
      const detail = '/network is a WebSocket; GET /api/v1/events streams the same over HTTP';
      const problem = problemBody({ code: 'INVALID_FORMAT', status: 426, detail, requestId });
      return sendProblem(reply.raw, problem, { upgrade: 'websocket', connection: 'upgrade' });
    }
    const asked = { path: target.path, owner };
    if (await serveOpen({ peer: deps.peer, metrics, pages }, raw, reply.raw, asked)) return;
    sendProblem(
      reply.raw,
      problemBody({ code: 'NOT_FOUND', status: 404, detail: 'there is nothing at this path', requestId }),
    );
  }
}

function factsOf(request: IncomingMessage, path: string, pathKey: string | undefined): AccessFacts {
  const { host, origin, authorization, cookie } = request.headers;
  const apiKey = request.headers['x-api-key'];
  const fetchSite = request.headers['sec-fetch-site'];
  const address = request.socket.remoteAddress ?? '';
  return {
    method: request.method ?? 'GET',
    path,
    host,
    origin,
    authorization,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
    fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
    pathKey,
    docsCookie: docsCookieOf(cookie),
    remoteLoopback: address === '::1' || /^(?:::ffff:)?127\./.test(address),
  };
}

/** For pages in `allow_origins`, refusals too: such a page may read why it was refused. */
function corsHeaders({ allowOrigins }: AccessRules, { origin }: AccessFacts): Record<string, string> {
  if (origin === undefined || !allowOrigins.includes(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': 'authorization, content-type, last-event-id, x-api-key',
    'access-control-expose-headers': 'x-peerai-peer, x-peerai-path, server-timing, x-request-id',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
