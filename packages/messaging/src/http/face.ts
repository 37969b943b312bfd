import {
  type Clock,
  type CryptoProvider,
  type Logger,
  PeerAiError,
  type PeerId,
  type Random,
  ReplayWindow,
  type ReplaySnapshot,
  type Store,
  utf8,
  fromUtf8,
} from '@peerai/core-protocol';
import { pcpErrorReply, type PcpProfile, type PcpReply } from '@peerai/core-protocol/pcp';
import { type Buckets, createBuckets } from './buckets.ts';
import type { FaceRequest, FaceResponse } from './ports.ts';
import { exchangeType } from '../session/ask.ts';
import { createSessionDoor, type SessionDoor, type SessionDoorDeps } from '../session/door.ts';
import type { SessionFacts, SessionRoomOptions } from '../session/parts.ts';
import { admitOwn, faceKinds, takeEnvelope, takeMessage, type TakeDeps } from './take.ts';
import {
  healthView,
  keyView,
  oldHealthView,
  oldKeyView,
  peersView,
  rootView,
  statsView,
  type ViewDeps,
} from './views.ts';

export interface HttpFaceDeps extends Omit<TakeDeps, 'replay' | 'buckets'>, ViewDeps {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly logger: Logger;
  /** A room of its own: what was here is remembered over a restart. */
  readonly store: Store;
  readonly answerFile?: SessionDoorDeps['answerFile'];
}
export interface HttpFaceOptions {
  readonly entityId: string;
  readonly profiles: readonly PcpProfile[];
  readonly isOpen: boolean;
  readonly secret?: string;
  /** Host names that requests may carry; without it any. A page of another site that gets its name to point here (DNS rebinding) is refused. */
  readonly hosts?: readonly string[];
  /** Who talks to whom is told to whoever asks: only where no stranger can ask. */
  readonly showsPeers: boolean;
  /** Sessions that others open here, of our own profile. */
  readonly sessions?: SessionRoomOptions;
}
/** The peer protocol over HTTP: bytes in, bytes out. */
export interface HttpFace {
  /** Never throws and never answers 500 for what somebody sent. */
  answer(request: FaceRequest, port: number, signal: AbortSignal): Promise<FaceResponse>;
  /** Kinds of messages that are answered here, besides those of the inbox. */
  kinds(): readonly string[];
  /** Sessions that others have open here. */
  sessions(): readonly SessionFacts[];
  /** Writes down which messages have been here. After a crash everything stamped before the new start is refused instead. */
  stop(): Promise<void>;
}

const replayKey = 'replay';
/** There from the first start on: before it nothing can have been here. */
const ranKey = 'ran';

/** Reads what an earlier life left; writes nothing before the first message comes. */
export async function openHttpFace(deps: HttpFaceDeps, options: HttpFaceOptions): Promise<HttpFace> {
  const memory = await openMemory(deps);
  const buckets: Buckets = createBuckets(deps.clock);
  const parts: TakeDeps & ViewDeps = { ...deps, replay: memory.replay, buckets };
  const admit = (peer: PeerId): void => admitOwn(parts, options, peer);
  const door = createSessionDoor({ ...parts, admit }, options.sessions);
  const route = routes(parts, options, door);
  return {
    async answer(request, port, signal) {
      try {
        if (request.method === 'POST') await memory.begin();
        return written(await route(request, port, signal));
      } catch (error) {
        deps.logger.error('peer-http-failed', { name: error instanceof Error ? error.name : typeof error });
        return written(pcpErrorReply(error, 'pcp/1.0-six'));
      }
    },
    kinds: () => faceKinds(deps),
    sessions: () => door.list(),
    stop: async () => {
      door.close();
      await memory.end();
    },
  };
}

interface Memory {
  readonly replay: ReplayWindow;
  /** Before the first message: what an orderly end left is taken away, so that after a crash it is not taken for the whole truth. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** After a crash there is no snapshot, and everything stamped before this start is refused. */
async function openMemory({ store, clock }: HttpFaceDeps): Promise<Memory> {
  const value = await store.get(replayKey);
  const hasRun = (await store.get(ranKey)) !== undefined;
  const snapshot = value === undefined ? undefined : (JSON.parse(fromUtf8(value)) as ReplaySnapshot);
  const replay = new ReplayWindow(snapshot === undefined ? {} : { snapshot });
  if (snapshot === undefined && hasRun) replay.refuseUpTo(clock.nowMs());
  let begun: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    begun ??= store.commit([store.put(replayKey), store.put(ranKey, Uint8Array.of(1))]);
    try {
      await begun;
    } catch (error) {
      begun = undefined;
      throw error;
    }
  };
  return {
    replay,
    begin,
    end: async () => {
      if (begun === undefined) return;
      await store.commit([store.put(replayKey, utf8(JSON.stringify(replay.snapshot())))]);
    },
  };
}

type Reply = PcpReply | Uint8Array;
type Route = (request: FaceRequest, port: number, signal: AbortSignal) => Reply | Promise<Reply>;

function routes(deps: TakeDeps & ViewDeps, options: HttpFaceOptions, door: SessionDoor): Route {
  const hasOld = options.profiles.includes('pcp/0.1');
  const whole = options.profiles.filter((profile) => profile !== 'pcp/0.1');
  const listed =
    (view: typeof peersView): Route =>
    () => {
      if (options.showsPeers) return view(deps, options);
      const why = 'who is known here is shown on the machine itself only';
      return pcpErrorReply(new PeerAiError('REFUSED', why), 'pcp/1.0-six');
    };
  const table: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    '/': { GET: () => rootView(deps, options) },
    '/health': { GET: (_, port) => healthView(deps, options, port) },
    '/peers': { GET: listed(peersView) },
    '/stats': { GET: listed(statsView) },
    '/public-key': { GET: () => keyView(deps, options) },
    '/message': {
      POST: ({ body }, _, signal) => takeMessage(deps, { ...options, profiles: whole }, body, signal),
    },
    '/inbox': { POST: ({ body }, _, signal) => takeEnvelope(deps, options, body, signal) },
    ...(whole.includes('peerai/1')
      ? { '/session': { POST: ({ body }: FaceRequest, _: number, signal: AbortSignal) => door.take(body, signal) } }
      : {}),
    ...(hasOld
      ? {
          '/v0.1/message': {
            POST: ({ body }: FaceRequest, _: number, signal: AbortSignal) =>
              takeMessage(deps, { ...options, profiles: ['pcp/0.1'] }, body, signal),
          },
          '/v0.1/health': { GET: () => oldHealthView(deps, options) },
          '/v0.1/public-key': { GET: () => oldKeyView(deps, options) },
        }
      : {}),
  };
  return (request, port, signal) => {
    if (!isHostAllowed(request.host, options.hosts)) {
      return pcpErrorReply(new PeerAiError('REFUSED', 'this host name is not served here'), 'pcp/1.0-six');
    }
    const methods = Object.hasOwn(table, request.path) ? table[request.path] : undefined;
    if (methods === undefined) {
      return pcpErrorReply(new PeerAiError('NOT_FOUND', 'there is nothing at this path'), 'pcp/1.0-six');
    }
    const handler = methods[request.method === 'HEAD' ? 'GET' : request.method];
    if (handler !== undefined) return handler(request, port, signal);
    const error = { code: 'REFUSED', message: `this path takes ${Object.keys(methods).join(', ')}` };
    return { status: 405, body: { error, detail: error.message } };
  };
}

function isHostAllowed(host: string | undefined, hosts: readonly string[] | undefined): boolean {
  if (hosts === undefined) return true;
  const name = host?.replace(/:\d+$/u, '').toLowerCase();
  return name !== undefined && hosts.includes(name);
}

function written(reply: Reply): FaceResponse {
  const shared = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  if (reply instanceof Uint8Array) {
    return { status: 200, headers: { 'content-type': exchangeType, ...shared }, body: reply };
  }
  const { status, retryAfterSeconds, body } = reply;
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...shared,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: utf8(JSON.stringify(body)),
  };
}
