import { type CryptoProvider, limits as coreLimits, openRecord, type PeerRecord } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

export interface KnownRecord {
  readonly bytes: Uint8Array;
  readonly record: PeerRecord;
}

/** Records whose signature was checked, the newest of each peer, none that has expired. */
export interface RecordBook {
  /** The record when it is valid and newer than what was known. */
  put(bytes: Uint8Array): KnownRecord | undefined;
  /** Throws what openRecord throws. */
  check(bytes: Uint8Array): KnownRecord;
  match(what: string, listeners: (topic: string) => readonly string[]): KnownRecord[];
  readonly size: number;
}

export function createRecordBook(crypto: CryptoProvider, nowMs: () => number): RecordBook {
  const known = new Map<string, KnownRecord>();

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

  /** Full: what expires first goes, expired ones before all. */
  function makeRoom(): void {
    if (known.size < limits.recordsMax) return;
    let first: KnownRecord | undefined;
    for (const one of known.values())
      if (first === undefined || one.record.expiresMs < first.record.expiresMs) first = one;
    if (first !== undefined) known.delete(first.record.peer);
  }

  return {
    check,
    get size() {
      return known.size;
    },
    put(bytes) {
      const fresh = tryCheck(bytes);
      if (fresh === undefined) return undefined;
      const old = known.get(fresh.record.peer);
      if (old !== undefined && old.record.sequence >= fresh.record.sequence) return undefined;
      if (old === undefined) makeRoom();
      known.set(fresh.record.peer, fresh);
      return fresh;
    },
    match(what, listeners) {
      const now = nowMs();
      for (const [peer, one] of known) if (one.record.expiresMs <= now) known.delete(peer);
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
