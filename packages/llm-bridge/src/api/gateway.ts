import type { Clock, CryptoProvider, Logger, PeerId, Random } from '@peerai/core-protocol';
import type { Catalogue } from './catalogue.ts';
import { ollamaRoutes } from './ollama.ts';
import { openAiRoutes } from './openai.ts';
import { BadRequest, type Face, failure } from './failure.ts';
import type { Route } from './route.ts';

export interface GatewayDeps {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly logger: Logger;
  /** This peer: named by answers that no other peer gave. */
  readonly self: PeerId;
  /** What `GET /api/version` says; it should look like an Ollama version and contain `peerai`. */
  readonly version?: string;
}
export interface GatewayContext {
  /** Aborts when the caller is gone, besides the request's own signal. */
  readonly signal?: AbortSignal;
}
/** The OpenAI and Ollama faces of a catalogue, without a server of their own: Host, Origin and tokens are checked before. */
export interface Gateway {
  /** True for paths that `fetch` answers with more than 404. */
  handles(path: string): boolean;
  /** Never rejects. Bad input is a 4xx in the face's own error shape; a model or peer that fails is 429, 502, 503 or 504. */
  fetch(request: Request, context?: GatewayContext): Promise<Response>;
}

export function createGateway(deps: GatewayDeps): Gateway {
  const routes = [...openAiRoutes(deps), ...ollamaRoutes(deps)];
  return {
    handles: (path) => routes.some((route) => route.path.test(path)),
    async fetch(request, context = {}) {
      const path = new URL(request.url).pathname;
      const face: Face = path.startsWith('/v1/') ? 'openai' : 'ollama';
      const signal = context.signal === undefined ? request.signal : AbortSignal.any([request.signal, context.signal]);
      try {
        const response = await find(routes, request.method, path).answer(request, signal, path);
        return sign(response, deps.self);
      } catch (error) {
        return sign(failure(face, error, deps.logger), deps.self);
      }
    },
  };
}

/** Throws BadRequest 404 or 405. */
function find(routes: readonly Route[], method: string, path: string): Route {
  const there = routes.filter((route) => route.path.test(path));
  if (there.length === 0)
    throw new BadRequest(`there is nothing at ${path.slice(0, 100)}`, { status: 404, code: 'not_found' });
  const route = there.find((one) => one.method === method || (method === 'HEAD' && one.method === 'GET'));
  if (route !== undefined) return route;
  const allow = there.map((one) => one.method).join(', ');
  throw new BadRequest(`${method} is not possible here; ${allow} is`, {
    status: 405,
    code: 'method_not_allowed',
    headers: { allow },
  });
}

/** Every answer names who gave it; `x-peerai` lets a prober see that this is no engine. */
function sign(response: Response, self: PeerId): Response {
  response.headers.set('x-peerai', '1');
  if (response.headers.has('x-peerai-peer')) return response;
  response.headers.set('x-peerai-peer', self);
  response.headers.set('x-peerai-path', 'local');
  return response;
}
