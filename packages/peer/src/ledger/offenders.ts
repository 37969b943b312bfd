import { fromBase64Url, type PeerId, type Store, toBase64Url } from '@peerai/core-protocol';
import { records } from '../store/records.ts';
import { booksLimits as limits } from './limits.ts';

/** Somebody who signed two histories of one log, as it was proven here. */
export interface Offender {
  readonly origin: PeerId;
  /** Bytes that prove it to anybody. */
  readonly evidence: Uint8Array;
  readonly sinceMs: number;
  /** Who told of it; this peer where it found it itself. */
  readonly toldBy: PeerId;
  /** The owner of this peer deals with it all the same, since then. */
  readonly liftedMs?: number;
}
interface Row extends Omit<Offender, 'evidence' | 'origin'> {
  readonly evidence: string;
}

/** Those who are refused here: in memory for quick decisions, on disk for restarts. */
export interface Offenders {
  /** Reads what is on disk. */
  load(): Promise<void>;
  isRefused(peer: PeerId): boolean;
  has(peer: PeerId): boolean;
  list(): readonly Offender[];
  /** One whose evidence was checked; true where it is news. The oldest is forgotten when they are too many. */
  add(offender: Offender): Promise<boolean>;
  /** The owner's word: refused no more, or again. False where nobody is. */
  lift(origin: PeerId, liftedMs: number | undefined): Promise<boolean>;
}

export function createOffenders(store: Store): Offenders {
  const rows = records<Row>(store, 'offender');
  const all = new Map<PeerId, Offender>();
  const keep = async (offender: Offender): Promise<void> => {
    const { origin, evidence, ...rest } = offender;
    const oldest = all.size >= limits.offendersMax && !all.has(origin) ? all.keys().next().value : undefined;
    const forgotten = oldest === undefined ? [] : [rows.remove(oldest)];
    await store.commit([rows.put(origin, { ...rest, evidence: toBase64Url(evidence) }), ...forgotten]);
    if (oldest !== undefined) all.delete(oldest);
    all.set(origin, offender);
  };
  return {
    async load() {
      const found: Offender[] = [];
      for await (const [id, row] of rows.all())
        found.push({ ...row, origin: id as PeerId, evidence: fromBase64Url(row.evidence) });
      for (const one of found.toSorted((a, b) => a.sinceMs - b.sinceMs)) all.set(one.origin, one);
    },
    isRefused: (peer) => {
      const found = all.get(peer);
      return found !== undefined && found.liftedMs === undefined;
    },
    has: (peer) => all.has(peer),
    list: () => [...all.values()],
    async add(offender) {
      if (all.has(offender.origin)) return false;
      await keep(offender);
      return true;
    },
    async lift(origin, liftedMs) {
      const found = all.get(origin);
      if (found === undefined) return false;
      const { liftedMs: _, ...rest } = found;
      await keep(liftedMs === undefined ? rest : { ...rest, liftedMs });
      return true;
    },
  };
}
