import type { ServerResponse } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { controllers } from './edge.module.ts';
import type { RequestPath } from './path.ts';

const cookieName = 'peerai_docs';

/** OpenAPI of the control routes at `/docs-json`, with a page to try them at `/docs`. */
export function mountDocs(app: NestFastifyApplication): void {
  const description = 'The local API of one agent. Every route needs the control token as a bearer.';
  const builder = new DocumentBuilder()
    .setTitle('PeerAI local API')
    .setDescription(description)
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer');
  for (const { prototype } of controllers) nameParameters(prototype);
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, builder.build()), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
  });
}

/**
 * Swagger looks for a handler's parameters in the metadata that `emitDecoratorMetadata` would leave, before it reads the schema beside each:
 * this compiler setting needs whole-program types, so the one fact it lacks, how many there are, is given here.
 */
function nameParameters(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = (prototype as Record<string, unknown>)[name];
    if (typeof handler !== 'function' || name === 'constructor') continue;
    // `@Body() body = …` does not count in `length`; no handler here has a default.
    const types = Array.from({ length: handler.length }, () => Object);
    Reflect.defineMetadata('design:paramtypes', types, prototype, name);
  }
}

/** A browser cannot send a bearer for a page: the docs alone are also opened by this cookie. */
export function docsCookieOf(cookie: string | undefined): string | undefined {
  const found = (cookie ?? '').split(/;\s*/).find((part) => part.startsWith(`${cookieName}=`));
  return found?.slice(cookieName.length + 1);
}

/** The token of `/docs?token=…`, with which `peerai open --docs` opens the page. */
export function docsTokenOf({ path, query }: RequestPath): string | undefined {
  return path === '/docs' || path === '/docs/' ? (query.get('token') ?? undefined) : undefined;
}

/** Gives the cookie for the token in the address, and takes the token out of the address. */
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
