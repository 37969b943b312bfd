import 'reflect-metadata';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
// Its own file: the package's entry loads 35 modules for forms with files, which no route takes.
import { FastifyAdapter } from '@nestjs/platform-fastify/adapters/fastify-adapter.js';
import { type Logger, PeerAiError, type Random, toBase64Url } from '@peerai/core-protocol';
import type { Peer } from '@peerai/peer';
import type { AccessRules } from './access.ts';
import { validation } from './body.ts';
import { createDocs } from './docs.ts';
import { EdgeModule } from './edge.module.ts';
import { createGate } from './gate.ts';
import type { ControlHooks } from './hooks.ts';
import { createMetrics } from './metrics.ts';
import { createNetworkSocket } from './network-socket.ts';
import { ProblemFilter } from './problem.filter.ts';

export interface EdgeDeps {
  readonly peer: Peer;
  readonly control: ControlHooks;
  readonly logger: Logger;
  readonly random: Random;
}
export interface EdgeOptions {
  readonly bind: string;
  readonly port: number;
  readonly rules: Omit<AccessRules, 'isGatewayKey' | 'docsSession'>;
  /** Folder of the built dashboard; without it `/` says how to build it. */
  readonly pages: string | undefined;
}
export interface Edge {
  readonly port: number;
  /** Ends listening and open streams. Safe to call twice. */
  stop(): Promise<void>;
}

/** One JSON body of the control API, bytes. */
export const controlBodyBytesMax = 1_048_576;
/** Longest name or id in a path, characters; names of models are long. */
const pathPartMax = 1_024;
/** A client's headers and its whole request body, milliseconds; answers may take longer. */
const headersMs = 10_000;
const requestMs = 60_000;
/** Where a body is a file. */
const fileRoutes = new Set([
  '/api/v1/chat/check',
  '/api/v1/files',
  '/api/v1/market/storage/leases/:id/files',
  '/api/v1/models/imported',
  '/api/v1/models/imported/:name/tokenizer',
  '/api/v1/training/data',
  '/api/v1/training/runs/:id/predict',
]);
/** Open connections; a browser's dashboard takes about six. */
const connectionsMax = 1_024;

/**
 * The local API: control routes by Nest, the AI gateway, events, pages and metrics, behind one rule for who may call.
 * Throws PORT_TAKEN when somebody else has the port.
 */
export async function startEdge(deps: EdgeDeps, options: EdgeOptions): Promise<Edge> {
  const { peer, control, logger } = deps;
  const stopping = new AbortController();
  const metrics = createMetrics(peer, stopping.signal);
  const rules: AccessRules = {
    ...options.rules,
    docsSession: toBase64Url(deps.random.bytes(32)),
    isGatewayKey: (key) => control.keys.isValid(key),
  };
  let app: NestFastifyApplication;
  const docs = createDocs(() => app, logger);
  const gate = createGate(deps, { rules, metrics, pages: options.pages, docs });
  const adapter = new FastifyAdapter({
    bodyLimit: controlBodyBytesMax,
    requestTimeout: requestMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: pathPartMax },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    rewriteUrl: gate.rewrite,
    // Other upgrades (curl offers HTTP/2 so) are answered as if they had not been offered: RFC 9110, section 7.8.
    http: { shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket' },
  });
  app = await NestFactory.create<NestFastifyApplication>(EdgeModule.with(peer, control, logger), adapter, {
    logger: false,
    abortOnError: false,
    // JSON and nothing else: no forms, which a page of another site could send without asking.
    bodyParser: false,
  });
  app.useGlobalPipes(validation);
  app.useGlobalFilters(new ProblemFilter(logger));
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  // A file's bytes go on as they come, and whoever takes them counts them; no other route takes bytes.
  fastify.addContentTypeParser('application/octet-stream', ({ routeOptions }, payload, done) => {
    if (fileRoutes.has(routeOptions.url ?? '')) done(null, payload);
    else done(Object.assign(new Error('this route takes JSON'), { statusCode: 415 }));
  });
  fastify.addHook('onRequest', gate.onRequest);
  await app.init();
  await fastify.ready();
  const server: HttpServer = app.getHttpServer();
  server.headersTimeout = headersMs;
  server.maxConnections = connectionsMax;
  server.on('upgrade', gate.onUpgrade(createNetworkSocket(peer, stopping.signal)));
  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    server.closeAllConnections();
    await Promise.all([app.close(), docs.stop()]);
  };
  try {
    await app.listen(options.port, options.bind);
  } catch (cause) {
    await stop();
    throw listenError(cause, options);
  }
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Zod checks bodies, in Nest's pipes. With compilers of its own Fastify would load ajv, 110 modules, for schemas that no route has. */
function noSchemas(): never {
  throw new PeerAiError('UNSUPPORTED', 'no route here has a Fastify schema');
}

function listenError(cause: unknown, { port, bind }: EdgeOptions): unknown {
  if ((cause as { code?: unknown }).code !== 'EADDRINUSE') return cause;
  return new PeerAiError(
    'PORT_TAKEN',
    `port ${port} on ${bind} is taken by another program`,
    { port, hint: 'Stop that program, or set api.port to another port.' },
    { cause },
  );
}
