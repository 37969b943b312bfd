import {
  type CryptoProvider,
  limits as coreLimits,
  openRecord,
  type PeerId,
  type PeerRecord,
  toHex,
} from '@peerai/core-protocol';
import { limits } from '../limits.ts';

export interface KnownRecord {
  readonly bytes: Uint8Array;
  readonly record: PeerRecord;
}
export interface ToldRecord extends KnownRecord {
  /** The neighbour that told us. */
  readonly source: PeerId;
}
interface Entry extends ToldRecord {
  readonly digest: string;
}

/** Records whose signature was checked, the newest of each peer, none that has expired; bounded in all and per neighbour. */
export interface RecordBook {
  /**
   * The record when it is valid and newer than what was known.
   *
   * @param source - the neighbour that brought it; ours never makes room for others.
   * @param author - then only this peer's own record is taken.
   */
  put(bytes: Uint8Array, source: PeerId, author?: PeerId): KnownRecord | undefined;
  /** Exactly these bytes are in the book; costs no signature check. */
  holds(bytes: Uint8Array): boolean;
  /** Throws what openRecord throws. */
  check(bytes: Uint8Array): KnownRecord;
  match(what: string, listeners: (topic: string) => readonly string[]): KnownRecord[];
  /** Everything that is known, our own record too where there is one; the one heard of longest ago first. */
  all(): readonly ToldRecord[];
  /** Where a peer says it is: foreign text under its own signature. Empty for one unknown. */
  addresses(peer: PeerId): readonly string[];
  readonly size: number;
}

export interface RecordBookDeps {
  readonly crypto: CryptoProvider;
  readonly self: PeerId;
  readonly nowMs: () => number;
  readonly recordsMax?: number | undefined;
  readonly recordsPerSourceMax?: number | undefined;
}

export function createRecordBook(deps: RecordBookDeps): RecordBook {
  const { crypto, self, nowMs, recordsMax = limits.recordsMax } = deps;
  const perSourceMax = deps.recordsPerSourceMax ?? limits.recordsPerSourceMax;
  /** In the order in which they were heard. */
  const known = new Map<string, Entry>();
  const digests = new Set<string>();

  const digestOf = (bytes: Uint8Array): string => toHex(crypto.sha256(bytes));

  function check(bytes: Uint8Array): KnownRecord {
    return { bytes, record: openRecord(crypto, bytes, nowMs()) };
  }

  function tryCheck(bytes: Uint8Array): KnownRecord | undefined {
    try {
      return bytes.length > coreLimits.recordBytesMax ? undefined : check(bytes);
    } catch {
      return undefined;
    }
  }

  function forget({ record, digest }: Entry): void {
    known.delete(record.peer);
    digests.delete(digest);
  }

  function forgetExpired(): void {
    const now = nowMs();
    for (const one of known.values()) if (one.record.expiresMs <= now) forget(one);
  }

  /** A neighbour at its share gives up its own oldest; else a full book gives up the oldest that is not ours. */
  function makeRoom(source: PeerId): void {
    const others = [...known.values()].filter((one) => one.source !== self);
    const ofSource = others.filter((one) => one.source === source);
    const oldest = ofSource.length >= perSourceMax ? ofSource[0] : known.size >= recordsMax ? others[0] : undefined;
    if (oldest !== undefined) forget(oldest);
  }

  return {
    check,
    holds: (bytes) => bytes.length <= coreLimits.recordBytesMax && digests.has(digestOf(bytes)),
    get size() {
      return known.size;
    },
    addresses(peer) {
      const record = known.get(peer)?.record;
      return record === undefined || record.expiresMs <= nowMs() ? [] : record.addresses;
    },
    put(bytes, source, author) {
      const fresh = tryCheck(bytes);
      if (fresh === undefined || (author !== undefined && fresh.record.peer !== author)) return undefined;
      const old = known.get(fresh.record.peer);
      if (old !== undefined && old.record.sequence >= fresh.record.sequence) return undefined;
      if (old !== undefined) forget(old);
      forgetExpired();
      makeRoom(source);
      const digest = digestOf(bytes);
      known.set(fresh.record.peer, { ...fresh, digest, source });
      digests.add(digest);
      return fresh;
    },
    all() {
      forgetExpired();
      return [...known.values()];
    },
    match(what, listeners) {
      forgetExpired();
      const [kind, ...rest] = what.split(':');
      const text = rest.join(':');
      const all = [...known.values()];
      if (kind === 'model') return all.filter(({ record }) => record.models.includes(text));
      if (kind === 'node') return all.filter(({ record }) => record.name === text);
      if (kind === 'topic') {
        const peers = new Set(listeners(text));
        return all.filter(({ record }) => peers.has(record.peer));
      }
      const one = known.get(what);
      return one === undefined ? [] : [one];
    },
  };
}
