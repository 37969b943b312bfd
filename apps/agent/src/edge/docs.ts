import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '@peerai/core-protocol';
import type { RequestPath } from './path.ts';
import { problemOf, sendProblem } from './problem.ts';

const cookieName = 'peerai_docs';

export interface Docs {
  /** Answers a request for `/docs…`, `/docs-json` or what the page loads. */
  answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** The docs of an application's routes. Swagger is 530 modules, a fifth of an agent's start: it is loaded at the first request. */
export function createDocs(described: () => NestFastifyApplication, logger: Logger): Docs {
  let opening: Promise<Docs> | undefined;
  const open = (): Promise<Docs> => {
    opening ??= import('./docs-app.ts')
      .then(({ openDocsApp }) => openDocsApp(described(), logger))
      .catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
    return opening;
  };
  return {
    async answer(request, response, requestId) {
      try {
        await (await open()).answer(request, response, requestId);
      } catch (error) {
        logger.error('docs-failed', { requestId, error: error instanceof Error ? error.message : 'unknown' });
        sendProblem(response, problemOf(error, requestId));
      }
    },
    async stop() {
      await (await opening?.catch(() => undefined))?.stop();
    },
  };
}

/** A browser cannot send a bearer for a page: the docs alone are also opened by this cookie. */
export function docsCookieOf(cookie: string | undefined): string | undefined {
  const found = (cookie ?? '').split(/;\s*/).find((part) => part.startsWith(`${cookieName}=`));
  return found?.slice(cookieName.length + 1);
}

/** The token of `/docs?token=…`. */
export const docsTokenOf = (target: RequestPath): string | undefined => docsQuery(target, 'token');

/** The one-time code of `/docs?code=…`, with which `peerai open --docs` opens the page. */
export const docsCodeOf = (target: RequestPath): string | undefined => docsQuery(target, 'code');

function docsQuery({ path, query }: RequestPath, name: string): string | undefined {
  return path === '/docs' || path === '/docs/' ? (query.get(name) ?? undefined) : undefined;
}

/** Gives the cookie for what stands in the address, and takes it out of the address. */
export function beginDocsSession(response: ServerResponse, session: string): void {
  response
    .writeHead(303, {
      location: '/docs',
      'set-cookie': `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/docs`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    .end();
}
