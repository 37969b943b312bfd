import { PeerAiError, type PeerId, type Shelf } from '@peerai/core-protocol';
import { serveBlobs } from '@peerai/core-protocol/blob';
import type { PeerMemory } from '../memory/memory.ts';
import type { ImportedModels } from '../models/imported-models.ts';
import type { Devices } from '../pairing/devices.ts';
import { onDemand } from '../store/on-demand.ts';
import type { CacheRequest, CacheView, FetchedView } from './cache.schema.ts';
import { cacheProtocol } from './cache-protocol.ts';
import type { CacheRoom, CacheRoomDeps } from './cache-room.ts';
import { cacheLimits } from './limits.ts';

export interface CacheDeps extends Omit<
  CacheRoomDeps,
  'shelf' | 'quotaBytes' | 'offered' | 'nearest' | 'mayFetch' | 'elsewhere'
> {
  readonly shelf?: Shelf | undefined;
  readonly devices: Pick<Devices, 'get' | 'list'>;
  readonly isOnline: (peer: PeerId) => boolean;
  /** As it was measured; 0 when it was not yet. */
  readonly roundTripMs: (peer: PeerId) => number;
  readonly imported: Pick<ImportedModels, 'list' | 'add' | 'fileOf'>;
  readonly memory: Pick<PeerMemory, 'fetch'>;
  readonly stopping: AbortSignal;
}
export interface CacheSettings {
  /** Bytes of all files. */
  readonly quotaBytes?: number;
  /** Whether every paired device that may chat may fetch from here; devices of the same owner may anyway. */
  readonly offered?: boolean;
}

/** Models by their hash and capsules by their id, from the nearest paired devices that have them. */
export interface Cache {
  view(): Promise<CacheView>;
  /** Throws NOT_FOUND, LIMIT_EXCEEDED, STORE_FULL, UNSUPPORTED, ABORTED, and what importing throws. */
  get(request: CacheRequest, signal: AbortSignal): Promise<FetchedView>;
  /** Throws NOT_FOUND. */
  remove(sha256: string): Promise<void>;
  start(): void;
}

export function createCache(deps: CacheDeps, settings: CacheSettings): Cache {
  const { devices, shelf, isOnline, roundTripMs, imported } = deps;
  const { quotaBytes = cacheLimits.quotaBytes, offered = false } = settings;
  /** Those here that let this peer do something; a round trip that is not known yet counts as the longest. */
  const nearest = () =>
    devices
      .list()
      .filter(({ peer, blocked }) => !blocked && isOnline(peer))
      .map((device) => ({ ...device, roundTripMs: roundTripMs(device.peer) || null }))
      .toSorted((a, b) => (a.roundTripMs ?? Infinity) - (b.roundTripMs ?? Infinity) || (a.name < b.name ? -1 : 1));
  const mayFetch = (peer: PeerId): boolean => {
    const device = devices.get(peer);
    if (device === undefined || device.blocked) return false;
    return device.allow.includes('own') || (offered && device.allow.includes('chat'));
  };
  const elsewhere = async (sha256: string) => imported.fileOf(sha256);
  const open = async (): Promise<CacheRoom> => {
    if (shelf === undefined) throw new PeerAiError('UNSUPPORTED', 'this peer keeps no files');
    const { openCacheRoom } = await import('./cache-room.ts');
    return openCacheRoom({ ...deps, shelf, quotaBytes, offered, nearest, mayFetch, elsewhere });
  };
  const room = onDemand(open).get;
  const importIt = async (found: FetchedView, name: string, signal: AbortSignal): Promise<FetchedView> => {
    const bytes = await (await room()).bytes(found.sha256);
    const whole = async function* whole(): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    const model = await imported.add(name, whole(), signal);
    return { ...found, importedAs: model.name };
  };
  return {
    view: async () => (await room()).view(),
    async get({ sha256, kind = 'file', importAs }, signal) {
      const until = AbortSignal.any([signal, deps.stopping]);
      if (kind === 'capsule') return deps.memory.fetch(sha256, nearest(), until);
      const found = await (await room()).fetch(sha256, until);
      return importAs === undefined ? found : importIt(found, importAs, until);
    },
    remove: async (sha256) => (await room()).remove(sha256),
    start() {
      const source = {
        length: async (hash: Uint8Array, peer: PeerId) =>
          mayFetch(peer) ? (await room()).source.length(hash, peer) : undefined,
        read: async (hash: Uint8Array, offset: number, count: number) =>
          (await room()).source.read(hash, offset, count),
      };
      const serving = serveBlobs(deps.network, source, cacheProtocol);
      deps.stopping.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
    },
  };
}
