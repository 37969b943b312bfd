import type { PeerId, Store } from '@peerai/core-protocol';
import {
  afterDeed,
  directScore,
  isForgotten,
  lifted,
  noStanding,
  type Refusal,
  refusalFor,
  type ReputationEvent,
  type Standing,
} from '@peerai/ledger/reputation';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';
import { standingLimits as limits } from './limits.ts';

/** One peer's deeds, and whether it is refused for them. */
interface Row {
  readonly standing: Standing;
  readonly refusal?: Refusal;
}
/** What peers did here, in memory and on disk. */
export interface Standings {
  get(peer: PeerId): Standing;
  refusal(peer: PeerId): Refusal | undefined;
  peers(): readonly PeerId[];
  /** Durable when it resolves: the refusal that the deed led to, if it did. Throws what the store throws. */
  note(peer: PeerId, event: ReputationEvent): Promise<Refusal | undefined>;
  /** The owner ends a refusal. False where there is none. Throws what the store throws. */
  letIn(peer: PeerId, nowMs: number): Promise<boolean>;
}

/** Throws what the store throws. */
export async function openStandings(room: Store): Promise<Standings> {
  const rows = records<Row>(room, 'peer');
  const kept = new Map<PeerId, Row>();
  for await (const [peer, row] of rows.all()) kept.set(peer as PeerId, row);
  const serial = createMutex();
  /** Who is refused, or was lately, goes last: room is not made by new identities that come in numbers. */
  const toForget = (nowMs: number): PeerId | undefined => {
    const isHeld = ({ refusal }: Row): boolean => refusal !== undefined && !isForgotten(refusal, nowMs);
    const [first] = [...kept].sort(
      ([, a], [, b]) => Number(isHeld(a)) - Number(isHeld(b)) || a.standing.atMs - b.standing.atMs,
    );
    return first?.[0];
  };
  return {
    get: (peer) => kept.get(peer)?.standing ?? noStanding,
    refusal: (peer) => kept.get(peer)?.refusal,
    peers: () => [...kept.keys()],
    note: (peer, event) =>
      serial(async () => {
        const before = kept.get(peer);
        const standing = afterDeed(before?.standing ?? noStanding, event);
        if (standing === before?.standing) return undefined;
        const { score } = directScore(standing, event.timeMs);
        const refusal = refusalFor(event.deed, score, before?.refusal, event.timeMs);
        const held = refusal ?? before?.refusal;
        const row: Row = { standing, ...(held === undefined ? {} : { refusal: held }) };
        const gone = before === undefined && kept.size >= limits.peersKeptMax ? toForget(event.timeMs) : undefined;
        await room.commit([rows.put(peer, row), ...(gone === undefined ? [] : [rows.remove(gone)])]);
        if (gone !== undefined) kept.delete(gone);
        kept.set(peer, row);
        return refusal;
      }),
    letIn: (peer, nowMs) =>
      serial(async () => {
        const row = kept.get(peer);
        if (row?.refusal === undefined || row.refusal.untilMs <= nowMs) return false;
        const free: Row = { ...row, refusal: lifted(row.refusal, nowMs) };
        await room.commit([rows.put(peer, free)]);
        kept.set(peer, free);
        return true;
      }),
  };
}
