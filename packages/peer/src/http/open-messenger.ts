import { PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import {
  pcpProfiles,
  type PcpProfile,
  pcpVersions,
  profileOfVersion,
  profileVersions,
} from '@peerai/core-protocol/pcp';
import { type Carrier, createMessenger, type Depot, type PeerMessenger } from '@peerai/messaging';
import {
  type Contacts,
  type Counts,
  createCounts,
  createHttpCarrier,
  createSessionDialer,
  type FaceRequest,
  type FaceResponse,
  type HttpFace,
  type HttpFaceDeps,
  type KnownPeer,
  type NamedContact,
  openContacts,
  openHttpFace,
  type QueueFacts,
  type SessionDialer,
  type SessionRoomOptions,
} from '@peerai/messaging/http';
import type { FileHttp } from '@peerai/messaging/files';
import { discoverIn } from '../discovery/discover.ts';
import type { Files } from '../files/files.ts';
import type { Devices } from '../pairing/devices.ts';
import type { PeerWorld } from '../peer-world.ts';
import { createPeerSessions, type PeerSessions } from './sessions.ts';

/** The HTTP face's part of the settings. */
export interface PeerHttpSettings {
  /** Profiles that are spoken; all unless said. */
  readonly profiles?: readonly PcpProfile[];
  /** Strangers are believed on first use. */
  readonly isOpen?: boolean;
  readonly secret?: string;
  /** Where everybody who has the secret and no address of its own is written to. */
  readonly secretUrl?: string;
  readonly contacts?: readonly NamedContact[];
  /** Host names requests may carry; any unless said. */
  readonly hosts?: readonly string[];
  /** `/peers` and `/stats` are answered. */
  readonly showsPeers?: boolean;
  /** Where others reach this face, when they can: told to paired devices. */
  readonly url?: () => string | undefined;
  /** How long sessions by HTTP live, and what an embedding program adds to them. */
  readonly sessions?: SessionRoomOptions;
}

/** The peer protocol over HTTP, for whoever has a socket. */
export interface PeerHttp {
  answer(request: FaceRequest, port: number, signal: AbortSignal): Promise<FaceResponse>;
  readonly contacts: Contacts;
  /** What went to and came from each peer by HTTP. */
  readonly counts: Pick<Counts, 'get'>;
  /** Versions that are spoken at the face, highest first, and the kinds that are answered there. */
  readonly versions: readonly string[];
  kinds(): readonly string[];
  readonly sessions: PeerSessions;
  /** Asks a device about a file, where it can be asked by HTTP. */
  readonly askFile: FileHttp;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

interface Parts extends PeerWorld {
  /** The messenger's room. */
  readonly messengerStore: Store;
  readonly devices: Devices;
  readonly isRefused: (peer: PeerId) => boolean;
  readonly name: string;
  /** How a device that is here is, and how often it is asked. */
  readonly health: (peer: PeerId) => 'healthy' | 'unhealthy' | undefined;
  readonly heartbeatMs: number;
  /** Where letters wait for peers that are away. */
  readonly depot: Depot;
  /** Letters through other devices, where no other way leads. */
  readonly route: Carrier;
  /** Takes questions about files and chunks of older peers, where files are kept. */
  readonly files?: () => Pick<Files, 'answerHttp' | 'takeChunk'>;
  /** What this peer can do, for an older one that asks. */
  readonly capabilities: NonNullable<HttpFaceDeps['capabilities']>;
}

/** The messenger with the ways it has: live links, HTTP where a `post` is given, and other devices; and the HTTP face that hands it what comes. */
export async function openMessenger(
  parts: Parts,
  settings: PeerHttpSettings = {},
): Promise<{ readonly messenger: PeerMessenger; readonly http: PeerHttp }> {
  const { devices, isRefused, name, post, identity, clock, crypto, random, logger, network, directory } = parts;
  const { profiles = pcpProfiles, isOpen = false, showsPeers = false, secret, secretUrl, hosts } = settings;
  const own = { entityId: name, ...(secret === undefined ? {} : { secret }) };
  const contacts = await openContacts(
    { crypto, store: parts.store.room('http-contacts') },
    { named: settings.contacts ?? [], isOpen, ...own, ...(secretUrl === undefined ? {} : { secretUrl }) },
  );
  const counts = createCounts(clock, { heartbeatMs: parts.heartbeatMs });
  const world = { identity, clock, crypto, random, logger, contacts, counts };
  const urlOf = (peer: PeerId): string | undefined => devices.get(peer)?.http;
  const hasSessions = (peer: PeerId): boolean => devices.get(peer)?.sessions !== undefined;
  const dialer = createSessionDialer(world, settings.sessions);
  const byHttp =
    post === undefined ? undefined : createHttpCarrier({ ...world, post, urlOf, dialer, hasSessions }, own);
  const carriers = [...(byHttp === undefined ? [] : [byHttp]), parts.route];
  const messenger = createMessenger({
    ...world,
    store: parts.messengerStore,
    network,
    carriers,
    depot: parts.depot,
    hasFrames: (peer) => devices.get(peer)?.frames !== undefined,
    isRefused,
  });
  const face = await openHttpFace(
    {
      ...world,
      store: parts.store.room('http'),
      receive: messenger.receive,
      ...fileHandlers(parts.files),
      capabilities: parts.capabilities,
      ...(directory === undefined ? {} : { discover: discoverIn({ ...parts, directory }) }),
      standing: (peer) => (isRefused(peer) ? 'blocked' : standingOf(devices, peer)),
      paired: () => pairedOf(devices, parts.health).filter(({ peer }) => !isRefused(peer)),
      heartbeatMs: parts.heartbeatMs,
      queue: countQueue(messenger, parts.messengerStore),
    },
    {
      ...own,
      profiles,
      isOpen,
      showsPeers,
      ...(hosts === undefined ? {} : { hosts }),
      ...(settings.sessions === undefined ? {} : { sessions: settings.sessions }),
    },
  );
  const sessions = createPeerSessions({ devices, face, dialer, post });
  return {
    messenger,
    http: {
      ...once(face, dialer),
      contacts,
      counts,
      sessions,
      versions: versionsOf(profiles),
      kinds: () => [...face.kinds(), ...(parts.files === undefined ? [] : ['file'])],
      askFile: (peer) => byHttp?.files(peer),
    },
  };
}

/** Highest first; the oldest profile has no handshake that could agree on another. */
const versionsOf = (profiles: readonly PcpProfile[]): readonly string[] => [
  ...pcpVersions.filter((version) => profiles.includes(profileOfVersion(version))).toReversed(),
  ...(profiles.includes('pcp/0.1') ? profileVersions['pcp/0.1'].map(String) : []),
];

/** Late: files and messenger need each other. */
function fileHandlers(files: Parts['files']): Pick<HttpFaceDeps, 'answerFile' | 'takeChunk'> {
  if (files === undefined) return {};
  return {
    answerFile: (...question) => files().answerHttp(...question),
    takeChunk: (message) => files().takeChunk(message),
  };
}

const standingOf = (devices: Devices, peer: PeerId): 'paired' | 'blocked' | 'stranger' => {
  const device = devices.get(peer);
  return device === undefined ? 'stranger' : device.blocked ? 'blocked' : 'paired';
};

const pairedOf = (devices: Devices, healthOf: Parts['health']): readonly KnownPeer[] =>
  devices
    .list()
    .filter(({ blocked }) => !blocked)
    .map(({ peer, name, http }) => {
      const health = healthOf(peer);
      return { peer, name, ...(http === undefined ? {} : { url: http }), ...(health === undefined ? {} : { health }) };
    });

/** What `/health` says of the outbox since the start. Reads the disk once, so that a broken one is noticed. */
function countQueue(messenger: PeerMessenger, store: Store): () => Promise<QueueFacts> {
  const ended = { delivered: 0, refused: 0, expired: 0, queued: 0 };
  messenger.deliveries(({ state }) => {
    ended[state] += 1;
  });
  return async () => {
    await store.get('health');
    return { size: await messenger.waiting(), sent: ended.delivered, failed: ended.refused, discarded: ended.expired };
  };
}

/** No request is taken any more once what was here is written down. */
function once(face: HttpFace, dialer: SessionDialer): Pick<PeerHttp, 'answer' | 'stop'> {
  let stopped: Promise<void> | undefined;
  return {
    answer: async (request, port, signal) => {
      if (stopped !== undefined) throw new PeerAiError('ABORTED', 'this peer is stopping');
      return face.answer(request, port, signal);
    },
    stop: () => {
      dialer.close();
      return (stopped ??= face.stop());
    },
  };
}
