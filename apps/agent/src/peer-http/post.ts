import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { PeerAiError } from '@peerai/core-protocol';
import { httpLimits, type HttpPost } from '@peerai/messaging/http';
import { socketLimits } from './limits.ts';

export interface PostPool {
  readonly post: HttpPost;
  /** Ends every connection. Safe to call twice. */
  stop(): void;
}
export interface PostOptions {
  /** For tests, below the named limits. */
  readonly idleMsMax?: number;
  readonly requestMsMax?: number;
  readonly connectionsMax?: number;
}

/**
 * Posts over kept connections: at most ten to one peer, closed when they were idle for 30 s; connecting may take 5 s, the whole 30 s. Redirects are
 * not followed: a letter goes where the owner or the peer itself said, or nowhere.
 */
export function createPostPool(options: PostOptions = {}): PostPool {
  const { idleMsMax = httpLimits.idleMsMax, requestMsMax = httpLimits.requestMsMax } = options;
  const { connectionsMax = socketLimits.sendingConnectionsMax } = options;
  const kept = {
    keepAlive: true,
    maxSockets: httpLimits.connectionsPerPeerMax,
    maxFreeSockets: httpLimits.connectionsPerPeerMax,
    maxTotalSockets: connectionsMax,
  };
  const plain = new Agent(kept);
  const secure = new TlsAgent(kept);
  const watched = new WeakSet<Socket>();
  const free = (socket: Socket): void => {
    // The agent's own `timeout` would cut off answers that take their time; a free one has none to wait for.
    if (!watched.has(socket)) socket.on('timeout', () => socket.destroy());
    watched.add(socket);
    socket.setTimeout(idleMsMax);
  };
  plain.on('free', free);
  secure.on('free', free);
  const post: HttpPost = ({ url, body, type = 'application/json', signal }) => {
    const isTls = url.startsWith('https:');
    const whole = AbortSignal.any([signal, AbortSignal.timeout(requestMsMax)]);
    const headers = { 'content-type': type, 'content-length': body.length, accept: type };
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(failureOf(error, signal, whole));
      let request: ClientRequest;
      try {
        const given = { method: 'POST', headers, signal: whole };
        makeRoom(isTls ? secure : plain, new URL(url), connectionsMax);
        request = isTls ? tlsRequest(url, { ...given, agent: secure }) : httpRequest(url, { ...given, agent: plain });
      } catch (error) {
        fail(error);
        return;
      }
      request.on('error', fail);
      request.once('socket', (socket) => boundConnecting(request, socket, isTls));
      request.once('response', (response) => {
        readAnswer(response).then((said) => resolve({ status: response.statusCode ?? 0, body: said }), fail);
      });
      request.end(body);
    });
  };
  return {
    post,
    stop() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Idle connections to others count among all that may be open: the one that idles longest makes room, or a post to a further peer would wait until it closes. */
function makeRoom(agent: Agent, { hostname, port, protocol }: URL, connectionsMax: number): void {
  const count = (all: typeof agent.sockets): number =>
    Object.values(all).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
  if (count(agent.sockets) + count(agent.freeSockets) < connectionsMax) return;
  const own = `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}:`;
  const free = Object.entries(agent.freeSockets);
  if (free.some(([name, sockets = []]) => name.startsWith(own) && sockets.length > 0)) return;
  free.find(([, sockets = []]) => sockets.length > 0)?.[1]?.[0]?.destroy();
}

function boundConnecting(request: ClientRequest, socket: Socket, isTls: boolean): void {
  socket.setTimeout(0);
  if (!socket.connecting) return;
  const late = new PeerAiError('PEER_UNREACHABLE', 'no connection in time', { reason: 'timeout' });
  const timer = setTimeout(() => request.destroy(late), httpLimits.connectMsMax);
  const done = (): void => clearTimeout(timer);
  socket.once(isTls ? 'secureConnect' : 'connect', done);
  socket.once('close', done);
}

async function readAnswer(response: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > httpLimits.answerBytesMax) {
      response.destroy();
      throw new PeerAiError('LIMIT_EXCEEDED', `an answer has at most ${httpLimits.answerBytesMax} bytes`);
    }
    pieces.push(piece);
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

function failureOf(error: unknown, signal: AbortSignal, whole: AbortSignal): PeerAiError {
  if (PeerAiError.is(error)) return error;
  if (signal.aborted) return new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: error });
  if (whole.aborted) return new PeerAiError('TIMEOUT', 'no answer in time', {}, { cause: error });
  const reason = (error as { readonly code?: unknown } | null)?.code;
  const details = typeof reason === 'string' ? { reason } : {};
  return new PeerAiError('PEER_UNREACHABLE', 'the peer does not answer by HTTP', details, { cause: error });
}
