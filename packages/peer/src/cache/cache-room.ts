import {
  type Clock,
  concatBytes,
  type CryptoProvider,
  equalBytes,
  fromHex,
  type Network,
  PeerAiError,
  type PeerId,
  type Shelf,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import { type BlobSource, fetchBlob } from '@peerai/core-protocol/blob';
import type { Device } from '../pairing/devices.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import type { CachedView, CacheView, FetchedView } from './cache.schema.ts';
import { cacheProtocol } from './cache-protocol.ts';
import { cacheLimits } from './limits.ts';

export interface CacheRoomDeps {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly network: Network;
  readonly store: Store;
  readonly shelf: Shelf;
  readonly quotaBytes: number;
  readonly offered: boolean;
  /** Devices that may have it, nearest first. */
  readonly nearest: () => readonly (Device & { readonly roundTripMs: number | null })[];
  /** May this device fetch from here? */
  readonly mayFetch: (peer: PeerId) => boolean;
  /** A file of this peer outside the cache, by its hash: an imported model. */
  readonly elsewhere: (sha256: string) => Promise<{ readonly file: string; readonly bytes: number } | undefined>;
  readonly nameOf: (peer: PeerId) => string;
}
type Row = Omit<CachedView, 'fromName'> & { readonly from: PeerId };
type Asked = FetchedView['asked'][number];

const fileOf = (sha256: string): string => `cache/${sha256}`;
const partOf = (sha256: string): string => `cache/incoming/${sha256}`;

/** Files by their SHA-256, fetched from the nearest paired device that has them. */
export interface CacheRoom {
  view(): CacheView;
  /** Throws NOT_FOUND when nobody who is here has it, LIMIT_EXCEEDED, STORE_FULL, ABORTED. */
  fetch(sha256: string, signal: AbortSignal): Promise<FetchedView>;
  /** Throws NOT_FOUND. */
  bytes(sha256: string): Promise<Uint8Array>;
  /** Throws NOT_FOUND. */
  remove(sha256: string): Promise<void>;
  /** What devices may fetch from here. */
  readonly source: BlobSource;
}

/** Throws what the store throws. */
export async function openCacheRoom(deps: CacheRoomDeps): Promise<CacheRoom> {
  const { clock, shelf, quotaBytes } = deps;
  const room = deps.store.room('cache');
  const kept = records<Row>(room, 'file');
  const rows = new Map<string, Row>();
  for await (const [sha256, row] of kept.all()) rows.set(sha256, row);
  const serial = createMutex();
  const used = (): number => [...rows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const drop = async (sha256: string): Promise<void> => {
    rows.delete(sha256);
    await room.commit([kept.remove(sha256)]);
    await shelf.remove(fileOf(sha256));
  };
  /** What was used longest ago goes until there is room. */
  const makeRoom = async (bytes: number): Promise<void> => {
    for (const { sha256 } of [...rows.values()].toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (used() + bytes <= quotaBytes && rows.size < cacheLimits.filesMax) return;
      await drop(sha256);
    }
  };
  const touch = async (row: Row): Promise<void> => {
    const now = { ...row, usedMs: clock.nowMs() };
    rows.set(row.sha256, now);
    await room.commit([kept.put(row.sha256, now)]);
  };
  const keep = (sha256: string, content: Uint8Array, from: PeerId): Promise<void> =>
    serial(async () => {
      await makeRoom(content.length);
      // The pieces that came may end in the middle: the whole is written, and takes their place.
      await shelf.remove(partOf(sha256));
      await shelf.write(partOf(sha256), 0, content);
      await shelf.move(partOf(sha256), fileOf(sha256));
      const nowMs = clock.nowMs();
      const row = { sha256, bytes: content.length, fetchedMs: nowMs, usedMs: nowMs, from };
      await room.commit([kept.put(sha256, row)]);
      rows.set(sha256, row);
    });
  const find = (sha256: string): Row => {
    const row = rows.get(sha256);
    if (row !== undefined) return row;
    throw new PeerAiError('NOT_FOUND', `${sha256.slice(0, 12)}… is not in the cache`);
  };
  const busy = new Map<string, Promise<FetchedView>>();
  const fetchNow = async (sha256: string, signal: AbortSignal): Promise<FetchedView> => {
    const here = rows.get(sha256) ?? (await deps.elsewhere(sha256));
    if (here !== undefined) return { v: 1, sha256, bytes: here.bytes, wasHere: true, asked: [] };
    const asked: Asked[] = [];
    for (const device of deps.nearest().slice(0, cacheLimits.askedMax)) {
      const { name, roundTripMs } = device;
      try {
        const content = await fetchFrom(deps, device, sha256, signal);
        await keep(sha256, content, device.peer);
        asked.push({ name, roundTripMs, code: null });
        return { v: 1, sha256, bytes: content.length, wasHere: false, asked };
      } catch (error) {
        if (signal.aborted || !PeerAiError.is(error)) throw error;
        if (PeerAiError.is(error, 'STORE_FULL')) throw error;
        const reason = error.message.slice(0, cacheLimits.reasonCharsMax);
        asked.push({ name, roundTripMs, code: error.code, reason });
      }
    }
    const told = asked.map(({ name, code }) => `${name}: ${code ?? ''}`).join(', ');
    throw new PeerAiError('NOT_FOUND', `nobody who is here gave it${told === '' ? '' : ` (${told})`}`, { asked });
  };
  return {
    view: () => ({
      v: 1,
      files: [...rows.values()]
        .toSorted((a, b) => b.usedMs - a.usedMs)
        .map(({ from, ...row }) => ({ ...row, fromName: deps.nameOf(from) })),
      bytes: used(),
      quotaBytes,
      offered: deps.offered,
    }),
    fetch(sha256, signal) {
      const running = busy.get(sha256);
      if (running !== undefined) return running;
      const work = fetchNow(sha256, signal).finally(() => busy.delete(sha256));
      busy.set(sha256, work);
      return work;
    },
    async bytes(sha256) {
      const row = rows.get(sha256);
      const { file, bytes } =
        row === undefined
          ? ((await deps.elsewhere(sha256)) ?? { file: '', bytes: 0 })
          : { file: fileOf(sha256), bytes: row.bytes };
      if (file === '') find(sha256);
      if (row !== undefined) await touch(row);
      const content = await shelf.read(file, 0, bytes);
      // What was changed on the disk is nobody's any more.
      if (equalBytes(deps.crypto.sha256(content), fromHex(sha256))) return content;
      if (row !== undefined) await serial(() => drop(sha256));
      throw new PeerAiError('HASH_MISMATCH', 'this file was changed on disk; fetch it again', { sha256 });
    },
    remove: (sha256) => serial(async () => drop(find(sha256).sha256)),
    source: {
      async length(hash, peer) {
        if (!deps.mayFetch(peer)) return undefined;
        const sha256 = toHex(hash);
        const row = rows.get(sha256);
        if (row !== undefined) await touch(row);
        return row?.bytes ?? (await deps.elsewhere(sha256))?.bytes;
      },
      async read(hash, offset, count) {
        const sha256 = toHex(hash);
        const file = rows.has(sha256) ? fileOf(sha256) : (await deps.elsewhere(sha256))?.file;
        return file === undefined ? new Uint8Array() : shelf.read(file, offset, count);
      },
    },
  };
}

/** Goes on where an earlier try broke off. What does not come to the hash is thrown away, and asked for once more from the start if its beginning was another's. */
async function fetchFrom(
  deps: CacheRoomDeps,
  device: Device,
  sha256: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { shelf, quotaBytes } = deps;
  const place = partOf(sha256);
  const have = await shelf.read(place, 0, quotaBytes).catch((error: unknown) => {
    if (PeerAiError.is(error, 'NOT_FOUND')) return new Uint8Array();
    throw error;
  });
  let [written, waiting, bytes] = [have.length, [] as Uint8Array[], 0];
  let writing: Promise<void> = Promise.resolve();
  const flush = (): void => {
    const [piece, offset] = [concatBytes(...waiting), written];
    [waiting, bytes, written] = [[], 0, written + piece.length];
    writing = writing.then(() => shelf.write(place, offset, piece));
    writing.catch(() => undefined);
  };
  try {
    return await fetchBlob(deps, device.peer, fromHex(sha256), {
      signal,
      have,
      bytesMax: quotaBytes,
      addresses: device.addresses,
      protocol: cacheProtocol,
      onPiece(piece) {
        waiting.push(piece);
        bytes += piece.length;
        if (bytes >= cacheLimits.writtenEveryBytes) flush();
      },
    });
  } catch (error) {
    if (!PeerAiError.is(error, 'HASH_MISMATCH', 'INVALID_FORMAT', 'LIMIT_EXCEEDED')) {
      flush();
      await writing;
      throw error;
    }
    await writing.catch(() => undefined);
    await shelf.remove(place);
    if (have.length === 0) throw error;
    return fetchFrom(deps, device, sha256, signal);
  }
}
