import { type Change, type Clock, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import { records } from '../store/records.ts';

/** One link as kept on disk: what it allows, and what was used of it. Times are milliseconds, sizes are tokens. */
export interface Share {
  /** Hex of the ticket id. */
  readonly id: string;
  /** Hex of the ticket's secret. */
  readonly secret: string;
  readonly link: string;
  readonly reach: 'relay' | 'lan' | 'machine';
  readonly warning?: string;
  readonly models: readonly string[];
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly tokens: number;
  readonly tokensUsed: number;
  readonly guestsMax: number;
  readonly guests: Readonly<Record<PeerId, ShareGuest>>;
  readonly concurrency: number;
  readonly stoppedMs?: number;
}
export interface ShareGuest {
  readonly tokensUsed: number;
  readonly lastSeenMs: number;
}

/** The shares of this peer, in memory for quick decisions and on disk for restarts; memory follows each commit. */
export interface Shares {
  get(id: string): Share | undefined;
  /** Newest first. */
  list(): readonly Share[];
  /** Keeps a new share; the oldest ended ones make room. Throws LIMIT_REACHED when none has ended. */
  add(share: Share): Promise<void>;
  /**
   * One edit after the other: `edit` sees the share as the edit before left it, so that a stop and an answer's tokens never overwrite each
   * other. `commit` may make the change durable together with others. Throws SHARE_UNKNOWN, and what the commit throws: then nothing changed.
   */
  update(id: string, edit: (share: Share) => Share, commit?: (change: Change) => Promise<unknown>): Promise<Share>;
}

export async function openShares({
  store,
  clock,
}: {
  readonly store: Store;
  readonly clock: Pick<Clock, 'nowMs'>;
}): Promise<Shares> {
  const room = store.room('shares');
  const rows = records<Share>(room, 'share');
  const serial = createMutex();
  const known = new Map<string, Share>();
  for await (const [, share] of rows.all()) known.set(share.id, share);
  const list = (): Share[] => [...known.values()].sort((a, b) => b.createdMs - a.createdMs);
  const outOfRoom = (): Share[] => {
    const count = known.size - limits.sharesMax + 1;
    if (count <= 0) return [];
    const ended = list().filter((share) => shareState(share, clock.nowMs()) !== 'active');
    if (ended.length < count)
      throw new PeerAiError('LIMIT_REACHED', `${limits.sharesMax} shares are active; stop one first`);
    return ended.slice(-count);
  };
  return {
    get: (id) => known.get(id),
    list,
    add: (share) =>
      serial(async () => {
        const gone = outOfRoom();
        await room.commit([rows.put(share.id, share), ...gone.map(({ id }) => rows.remove(id))]);
        known.set(share.id, share);
        for (const { id } of gone) known.delete(id);
      }),
    update: (id, edit, commit = (change) => room.commit([change])) =>
      serial(async () => {
        const share = known.get(id);
        if (share === undefined) throw new PeerAiError('SHARE_UNKNOWN', 'this share is not kept any more');
        const edited = edit(share);
        await commit(rows.put(id, edited));
        known.set(id, edited);
        return edited;
      }),
  };
}

export function shareState(share: Share, nowMs: number): 'active' | 'expired' | 'spent' | 'stopped' {
  if (share.stoppedMs !== undefined) return 'stopped';
  if (share.expiresMs <= nowMs) return 'expired';
  return share.tokensUsed >= share.tokens ? 'spent' : 'active';
}
