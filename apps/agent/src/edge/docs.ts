import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const cookieName = 'peerai_docs';

/** OpenAPI of the control routes at `/docs-json`, with a page to try them at `/docs`. */
export function mountDocs(app: NestFastifyApplication): void {
  const description = 'The local API of one agent. Every route needs the control token as a bearer.';
  const builder = new DocumentBuilder().setTitle('PeerAI local API').setDescription(description).setVersion('1').addBearerAuth();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, builder.build()), { jsonDocumentUrl: 'docs-json' });
}

/** A browser cannot send a bearer for a page: the docs alone also read the token from this cookie. */
export function docsCookieOf(cookie: string | undefined): string | undefined {
  const found = (cookie ?? '').split(/;\s*/).find((part) => part.startsWith(`${cookieName}=`));
  return found?.slice(cookieName.length + 1);
}
