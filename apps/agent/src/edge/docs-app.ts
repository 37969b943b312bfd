import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Logger } from '@peerai/core-protocol';
import type { Docs } from './docs.ts';
import { controllers } from './edge.module.ts';
import { ProblemFilter } from './problem.filter.ts';

@Module({})
class DocsModule {}

/**
 * OpenAPI of the control routes at `/docs-json`, with a page to try them at `/docs`. An application of its own that listens nowhere: Fastify takes
 * no more routes once it is ready, and these come later.
 */
export async function openDocsApp(described: NestFastifyApplication, logger: Logger): Promise<Docs> {
  const adapter = new FastifyAdapter({ requestIdHeader: 'x-request-id' });
  const app = await NestFactory.create<NestFastifyApplication>(DocsModule, adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  const builder = new DocumentBuilder()
    .setTitle('PeerAI local API')
    .setDescription('The local API of one agent. Every route needs the control token as a bearer.')
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer');
  for (const { prototype } of controllers) nameParameters(prototype);
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(described, builder.build()), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
  });
  await app.init();
  const fastify = adapter.getInstance();
  await fastify.ready();
  return {
    async answer(request, response, requestId) {
      request.headers['x-request-id'] = requestId;
      fastify.routing(request, response);
    },
    stop: () => app.close(),
  };
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
