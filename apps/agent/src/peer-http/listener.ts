import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Logger, orAborted, PeerAiError } from '@peerai/core-protocol';
import { type FaceRequest, type FaceResponse, httpLimits } from '@peerai/messaging/http';
import { socketLimits } from './limits.ts';

export interface ListenerDeps {
  /** What the peer protocol says to one request. */
  readonly answer: (request: FaceRequest, port: number, signal: AbortSignal) => Promise<FaceResponse>;
  readonly logger: Logger;
}
export interface ListenerOptions {
  readonly bind: string;
  readonly port: number;
  /** PEM texts; with them it is HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** For tests, below the named limits. */
  readonly headersMsMax?: number;
  readonly requestMsMax?: number;
  readonly answerMsMax?: number;
}
export interface PeerListener {
  readonly port: number;
  /** Connections that are open now. */
  connections(): Promise<number>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** A raw listener: bodies go on as the bytes that came, through no parser. Throws what `listen` throws, KEY_REFUSED for a certificate that cannot be used. */
export async function startPeerListener(deps: ListenerDeps, options: ListenerOptions): Promise<PeerListener> {
  const stopping = new AbortController();
  let port = 0;
  const onRequest: RequestListener = (request, response) => {
    const { answerMsMax = socketLimits.answerMsMax } = options;
    void serve(deps, request, response, { port, stopping: stopping.signal, answerMsMax }).catch((error: unknown) => {
      // The client is gone, or the answer could not be written: nobody is left to tell.
      deps.logger.debug('peer-http-broken', { name: error instanceof Error ? error.name : typeof error });
      request.destroy();
    });
  };
  const server = createHttpServer(options, onRequest);
  server.maxConnections = socketLimits.connectionsMax;
  shareAmongAddresses(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.bind, port: options.port }, () => resolve(server.off('error', reject) && undefined));
  });
  port = (server.address() as AddressInfo).port;
  return {
    port,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort(new PeerAiError('ABORTED', 'this peer is stopping'));
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** One connection more than an address may have is cut before anything is read from it. */
function shareAmongAddresses(server: Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = open.get(address) ?? 0;
    if (count >= socketLimits.connectionsPerAddressMax) return void socket.destroy();
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

function createHttpServer(given: ListenerOptions, onRequest: RequestListener): Server {
  const { tls, headersMsMax = socketLimits.headersMsMax, requestMsMax: wholeMs = socketLimits.requestMsMax } = given;
  const options = {
    maxHeaderSize: socketLimits.headerBytesMax,
    headersTimeout: Math.min(headersMsMax, wholeMs),
    requestTimeout: wholeMs,
    connectionsCheckingInterval: Math.min(socketLimits.lookMs, headersMsMax, wholeMs),
    keepAliveTimeout: socketLimits.idleMsMax,
  };
  if (tls === undefined) return createServer(options, onRequest);
  try {
    return createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: wholeMs }, onRequest);
  } catch (cause) {
    throw new PeerAiError('KEY_REFUSED', 'the certificate and its key cannot be used', {}, { cause });
  }
}

interface Serving {
  readonly port: number;
  readonly stopping: AbortSignal;
  readonly answerMsMax: number;
}

async function serve(
  { answer }: ListenerDeps,
  request: IncomingMessage,
  response: ServerResponse,
  { port, stopping, answerMsMax }: Serving,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return refuseBody(request, response);
  const gone = new AbortController();
  response.once('close', () => gone.abort(new PeerAiError('ABORTED', 'the client is gone')));
  const late = AbortSignal.timeout(answerMsMax);
  const signal = AbortSignal.any([stopping, gone.signal, late]);
  const path = (request.url ?? '/').replace(/[?#].*$/su, '');
  const asked = { method: request.method ?? 'GET', path, host: request.headers.host, body };
  try {
    // A handler that does not hear the signal must not hold the connection.
    const { status, headers, body: said } = await orAborted(answer(asked, port, signal), signal);
    if (response.destroyed) return;
    response.writeHead(status, { ...headers, 'content-length': said.length });
    response.end(request.method === 'HEAD' ? undefined : said);
  } catch (error) {
    if (!late.aborted || response.destroyed || response.headersSent) throw error;
    const message = `no answer within ${answerMsMax} ms`;
    response
      .writeHead(504, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { code: 'TIMEOUT', message }, detail: message }));
  }
}

/** Undefined when it is too long: what was said to be too long is not even begun. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > httpLimits.bodyBytesMax) return undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > httpLimits.bodyBytesMax) return undefined;
    pieces.push(piece);
  }
  const body = new Uint8Array(length);
  let place = 0;
  for (const piece of pieces) {
    body.set(piece, place);
    place += piece.length;
  }
  return body;
}

/** 413, and the connection ends once it was read. */
function refuseBody(request: IncomingMessage, response: ServerResponse): void {
  const message = `a body has at most ${httpLimits.bodyBytesMax} bytes`;
  const error = { code: 'LIMIT_EXCEEDED', message };
  response
    .writeHead(413, { 'content-type': 'application/json', connection: 'close' })
    .end(JSON.stringify({ error, detail: message }));
  request.resume();
  setTimeout(() => request.destroy(), socketLimits.refusedMsMax).unref();
}
