import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { ControlEvent, PeerView, PendingPairing } from '@peerai/peer/control';
import * as schemas from '@peerai/peer/schemas';
import {
  askDevice,
  broadcastTo,
  capabilitiesOf,
  changeOlder,
  crawled,
  foundPeers,
  olderPeers,
  openSessions,
} from './fixture-asks.ts';
import { answerCache } from './fixture-cache.ts';
import { answerChat } from './fixture-chat.ts';
import { answerClusters, answerMetrics } from './fixture-clusters.ts';
import { answerFiles } from './fixture-files.ts';
import { answerGovernance } from './fixture-governance.ts';
import { answerMarket } from './fixture-market.ts';
import { answerMemory } from './fixture-memory.ts';
import { answerNodes } from './fixture-nodes.ts';
import { answerOwnModels } from './fixture-models.ts';
import { answerReputation } from './fixture-reputation.ts';
import { answerTraining } from './fixture-training.ts';
import { answerDocuments, answerGroups } from './fixture-rooms.ts';
import { answerLedger } from './fixture-ledger.ts';
import { fixturePairing, fixtureShare, fixtureState, fixtureTask, type FixtureState } from './fixture-data.ts';

/** What the agent and the relay should send with the pages: nothing inline, nothing from elsewhere. */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const token = 'fixture-token';
/** A one-time code that has not been used. */
export const freshCode = 'fixture-code';

export interface FixtureAgent {
  readonly url: string;
  readonly state: FixtureState;
  /** `METHOD /path` of every request to the local API. */
  readonly requests: string[];
  /** `Last-Event-ID` of each time the events were asked for. */
  readonly resumes: (string | undefined)[];
  /** Sends a live event. */
  send(event: ControlEvent): void;
  /** `METHOD /path` → what it is refused with from now on. */
  readonly refusals: Map<string, { readonly status: number; readonly code: string; readonly detail: string }>;
  /** Cuts every events stream; new ones are refused until `true` again. */
  allowEvents(allowed: boolean): void;
  stop(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** An agent's face without an agent: the built pages and the local API, every body in its true shape. */
export async function startFixtureAgent(dist: string): Promise<FixtureAgent> {
  const requests: string[] = [];
  const resumes: (string | undefined)[] = [];
  const refusals: FixtureAgent['refusals'] = new Map();
  const streams = new Set<ServerResponse>();
  const codes = new Set([freshCode]);
  let eventsAllowed = true;
  let eventId = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state = fixtureState(url, Date.now());

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    if (!pathname.startsWith('/api/v1/')) return servePage(dist, pathname, response);
    const path = pathname.slice('/api/v1'.length);
    requests.push(`${request.method} ${path}`);
    if (path === '/session') return beginSession(JSON.parse((await readAll(request)).toString()), response);
    if (request.headers.authorization !== `Bearer ${token}`)
      return problem(response, 401, 'UNAUTHORIZED', 'the token is wrong');
    if (path === '/events') return openEvents(request, response);
    if (request.method === 'GET' && path.startsWith('/topics/')) return openTopic(path, response);
    const sent = await readAll(request);
    const isFile = request.headers['content-type'] === 'application/octet-stream';
    const body: unknown = isFile || sent.length === 0 ? undefined : JSON.parse(sent.toString());
    const refusal = refusals.get(`${request.method} ${path}`);
    if (refusal !== undefined) return problem(response, refusal.status, refusal.code, refusal.detail);
    if (path === '/chat') return answerChat(schemas.chatRequestSchema.parse(body), response);
    if (/\/(?:content|model)$/u.test(path)) return void response.writeHead(200).end('what is in the file');
    const [, room, id] = path.split('/');
    const answer =
      room === 'models' && (id === 'imported' || id === 'splits' || id === 'offered')
        ? answerOwnModels(state, { method: request.method ?? 'GET', path, query: searchParams }, body, sent)
        : room === 'files'
          ? answerFiles(state, { method: request.method ?? 'GET', id, query: searchParams }, sent)
          : room === 'training'
            ? answerTraining(state, { method: request.method ?? 'GET', path, query: searchParams }, sent)
            : room === 'memory'
              ? answerMemory(state, { method: request.method ?? 'GET', path, query: searchParams }, body)
              : room === 'clusters'
                ? answerClusters(state, { method: request.method ?? 'GET', path }, body)
                : room === 'metrics'
                  ? answerMetrics(state)
                  : room === 'reputation'
                    ? answerReputation(state, { method: request.method ?? 'GET', path })
                    : room === 'nodes' || room === 'leases'
                      ? answerNodes(state, { method: request.method ?? 'GET', path }, body)
                      : room === 'market'
                        ? answerMarket(
                            state,
                            { method: request.method ?? 'GET', path, query: searchParams },
                            body,
                            sent.length,
                          )
                        : room === 'governance'
                          ? await answerGovernance(
                              state.governance,
                              { method: request.method ?? 'GET', path, query: searchParams },
                              body,
                            )
                          : room === 'ledger' && request.method === 'GET' && id !== 'head'
                            ? await answerLedger(state.log, id, path.split('/')[3], searchParams)
                            : route(state, request.method ?? 'GET', path, body, url);
    if (answer === undefined) return problem(response, 404, 'NOT_FOUND', 'no such thing');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  function beginSession(body: unknown, response: ServerResponse): void {
    const { code } = schemas.sessionRequestSchema.parse(body);
    if (!codes.delete(code)) return problem(response, 401, 'TOKEN_WRONG', 'this code was used');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ v: 1, token }));
  }

  function openEvents(request: IncomingMessage, response: ServerResponse): void {
    if (!eventsAllowed) return problem(response, 503, 'UNAVAILABLE', 'events are away');
    resumes.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    streams.add(response);
    response.on('close', () => streams.delete(response));
    write(response, { type: 'traffic', bytesPerSecond: 3_100, tokensPerSecond: 38, answering: 0 });
  }

  /** One device speaks as soon as somebody listens; the topic `silent` ends at once. */
  function openTopic(path: string, response: ServerResponse): void {
    const topic = path.split('/')[2] ?? '';
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const heard = { topic, from: '12D3KooWStudy', fromName: 'study-pc', payload: 'The relay has moved.' };
    const message = schemas.topicMessageSchema.parse({ ...heard, sentMs: Date.now() });
    if (topic === 'silent') response.end();
    else response.write(`event: message\nid: 1\ndata: ${JSON.stringify(message)}\n\n`);
  }

  function write(response: ServerResponse, event: ControlEvent): void {
    const { type, ...data } = event;
    eventId += 1;
    response.write(`event: ${type}\nid: ${eventId}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  return {
    url,
    state,
    requests,
    resumes,
    refusals,
    send(event) {
      for (const stream of streams) write(stream, event);
    },
    allowEvents(allowed) {
      eventsAllowed = allowed;
      if (!allowed) for (const stream of streams) stream.destroy();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function servePage(dist: string, pathname: string, response: ServerResponse): Promise<void> {
  const headers = {
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
  const file = pathname === '/s' ? 'share.html' : extname(pathname) === '' ? 'index.html' : normalize(pathname);
  try {
    const content = await readFile(join(dist, file));
    response
      .writeHead(200, { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' })
      .end(content);
  } catch {
    response.writeHead(404, headers).end();
  }
}

function problem(response: ServerResponse, status: number, code: string, detail: string, hint?: string): void {
  const body = schemas.problemSchema.parse({
    type: 'about:blank',
    title: code,
    status,
    code,
    detail,
    requestId: 'r-1',
    hint,
  });
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Every answer passes the schema of the real local API, so that the pages are tested against true shapes. */
function route(state: FixtureState, method: string, path: string, body: unknown, url: string): unknown {
  const [, room, id, verb, one] = path.split('/').map(decodeURIComponent);
  switch (`${method} ${room}`) {
    case 'GET node':
      return schemas.nodeSchema.parse(state.node);
    case 'GET peers':
      if (verb === 'capabilities') return capabilitiesOf(id ?? '');
      if (id === 'sessions') return schemas.peerSessionsSchema.parse({ v: 1, sessions: openSessions });
      if (id === 'older') return schemas.olderPeersSchema.parse({ v: 1, peers: olderPeers });
      return schemas.peersSchema.parse({ v: 1, peers: state.peers });
    case 'PATCH peers':
      if (id === 'older') return changeOlder(verb, body);
      return schemas.peerSchema.parse(patchPeer(state, id, body));
    case 'DELETE peers':
      state.peers = state.peers.filter((peer) => peer.peerId !== id);
      return {};
    case 'POST peers':
      return askDevice(id ?? '', verb);
    case 'POST broadcasts':
      return broadcastTo(state, body);
    case 'POST topics': {
      schemas.publishRequestSchema.parse(body);
      return schemas.publishedSchema.parse({ v: 1, topic: id, sentMs: Date.now() });
    }
    case 'POST discovery': {
      if (id === 'crawl') return schemas.crawlSchema.parse({ v: 1, peers: crawled });
      const { model } = schemas.findRequestSchema.parse(body);
      return schemas.foundSchema.parse({ v: 1, peers: model === 'mistral' ? foundPeers : [] });
    }
    case 'GET pairings':
      return schemas.pairingsSchema.parse({ v: 1, invites: [], pending: state.pending });
    case 'POST pairings':
      return answerPairing(state, id, verb, body);
    case 'GET shares':
      return schemas.sharesSchema.parse({ v: 1, shares: state.shares });
    case 'POST shares':
      return makeShare(state, body, url);
    case 'DELETE shares':
      return changeShare(state, id);
    case 'GET tasks':
      if (id !== undefined) return schemas.taskDetailSchema.parse(state.tasks.find((task) => task.id === id));
      return schemas.tasksSchema.parse({ v: 1, tasks: state.tasks, types: ['prompt'] });
    case 'POST tasks':
      return changeTasks(state, id, body);
    case 'GET messages':
      return schemas.messagesSchema.parse({ v: 1, messages: state.messages });
    case 'POST messages': {
      const { to } = schemas.messageRequestSchema.parse(body);
      return schemas.deliverySchema.parse({ v: 1, id: 'm9', to, state: 'delivered' });
    }
    case 'GET groups':
    case 'POST groups':
    case 'DELETE groups':
      return answerGroups(state, { method, id, verb, one }, body);
    case 'GET state':
    case 'POST state':
    case 'PATCH state':
    case 'DELETE state':
      return answerDocuments(state, { method, id, verb, one }, body);
    case 'GET cache':
    case 'POST cache':
    case 'DELETE cache':
      return answerCache(state, { method, id }, body);
    case 'GET models':
      return schemas.modelsSchema.parse(state.models);
    case 'PATCH models': {
      const { exposed } = schemas.modelPatchSchema.parse(body);
      state.models.models = state.models.models.map((model) => (model.name === id ? { ...model, exposed } : model));
      return {};
    }
    case 'GET doctor':
      return schemas.doctorSchema.parse(state.doctor);
    case 'GET ledger':
      return schemas.ledgerHeadSchema.parse(state.ledger);
    case 'POST ledger':
      return schemas.ledgerVerificationSchema.parse({ v: 1, ok: true, size: 1204, checked: 1204, receipts: 640 });
    default:
      return undefined;
  }
}

function patchPeer(state: FixtureState, id: string | undefined, body: unknown): PeerView {
  const { blocked, name, allow } = schemas.peerPatchSchema.parse(body);
  const old = state.peers.find((peer) => peer.peerId === id);
  if (old === undefined) throw new Error('no such peer');
  const peer: PeerView = {
    ...old,
    name: name ?? old.name,
    allow: allow ?? old.allow,
    ...(blocked === undefined
      ? {}
      : { state: blocked ? ('blocked' as const) : ('offline' as const), path: null, roundTripMs: null }),
  };
  state.peers = state.peers.map((other) => (other.peerId === id ? peer : other));
  return peer;
}

function answerPairing(state: FixtureState, id: string | undefined, verb: string | undefined, body: unknown): unknown {
  if (id === undefined) {
    schemas.inviteRequestSchema.parse(body);
    const link = `peerai://join/${'abcdefgh23'.repeat(30)}`;
    return schemas.inviteSchema.parse({ v: 1, id: 'i1', link, expiresMs: Date.now() + 600_000 });
  }
  let pairing: PendingPairing;
  if (id === 'join') {
    schemas.joinRequestSchema.parse(body);
    pairing = fixturePairing({ id: 'p-out', direction: 'outgoing', name: 'study-pc' }, Date.now());
    state.pending = [...state.pending, pairing];
  } else {
    const old = state.pending.find((other) => other.id === id);
    if (old === undefined) return undefined;
    pairing = { ...old, state: verb === 'accept' ? 'accepted' : 'rejected' };
    state.pending = state.pending.filter((other) => other.id !== id);
  }
  return schemas.pendingPairingSchema.parse(pairing);
}

function makeShare(state: FixtureState, body: unknown, url: string): unknown {
  const { model, forMs = 0, tokens = 0, guests = 1, concurrency = 1 } = schemas.shareRequestSchema.parse(body);
  const near = state.node.reach !== 'relay';
  const share = fixtureShare(
    `s${state.shares.length + 1}`,
    {
      models: [model],
      tokens: { budget: tokens, used: 0, reserved: 0 },
      guestsMax: guests,
      concurrency,
      reach: state.node.reach,
      expiresMs: Date.now() + forMs,
      ...(near
        ? { link: `${url}/s#${'v1abcdefgh'.repeat(40)}`, warning: 'works on this network only: no relay is set' }
        : {}),
    },
    Date.now(),
  );
  state.shares = [share, ...state.shares];
  return schemas.shareSchema.parse(share);
}

function changeTasks(state: FixtureState, id: string | undefined, body: unknown): unknown {
  const old = state.tasks.find((task) => task.id === id);
  if (old !== undefined) {
    const stopped = { ...old, cancelling: true };
    state.tasks = state.tasks.map((task) => (task.id === id ? stopped : task));
    return schemas.taskSchema.parse(stopped);
  }
  const { description, type } = schemas.taskRequestSchema.parse(body);
  const pending = { status: 'pending', percent: null, startedMs: null, endedMs: null, result: null } as const;
  const made = fixtureTask(`t${state.tasks.length + 1}new`, { ...pending, title: description, type }, Date.now());
  state.tasks = [made, ...state.tasks];
  return schemas.taskSchema.parse(made);
}

function changeShare(state: FixtureState, id: string | undefined): unknown {
  state.shares = state.shares.map((share) => (share.id === id ? { ...share, state: 'stopped' as const } : share));
  return schemas.shareSchema.parse(state.shares.find((share) => share.id === id));
}
