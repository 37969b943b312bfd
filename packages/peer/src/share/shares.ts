import { type Change, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
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

/** The shares of this peer, in memory for quick decisions and on disk for restarts. */
export interface Shares {
  get(id: string): Share | undefined;
  list(): readonly Share[];
  /** The change that makes `share` durable; memory follows when the commit did. */
  change(share: Share): Change;
  /** Memory follows a commit that was made elsewhere with `change`. */
  adopt(share: Share): void;
  /** Commits the share alone or with others, then updates memory. */
  save(share: Share, alongside?: readonly Change[]): Promise<void>;
}

export async function openShares(store: Store): Promise<Shares> {
  const room = store.room('shares');
  const rows = records<Share>(room, 'share');
  const known = new Map<string, Share>();
  for await (const [, share] of rows.all()) known.set(share.id, share);
  const oldest = (): Share[] =>
    [...known.values()]
      .filter(({ stoppedMs }) => stoppedMs !== undefined)
      .sort((a, b) => a.createdMs - b.createdMs)
      .slice(0, Math.max(0, known.size - limits.sharesMax + 1));
  return {
    get: (id) => known.get(id),
    list: () => [...known.values()].sort((a, b) => b.createdMs - a.createdMs),
    change: (share) => rows.put(share.id, share),
    adopt: (share) => void known.set(share.id, share),
    async save(share, alongside = []) {
      const gone = known.has(share.id) ? [] : oldest();
      await room.commit([rows.put(share.id, share), ...gone.map(({ id }) => rows.remove(id)), ...alongside]);
      known.set(share.id, share);
      for (const { id } of gone) known.delete(id);
    },
  };
}

export function shareState(share: Share, nowMs: number): 'active' | 'expired' | 'spent' | 'stopped' {
  if (share.stoppedMs !== undefined) return 'stopped';
  if (share.expiresMs <= nowMs) return 'expired';
  return share.tokensUsed >= share.tokens ? 'spent' : 'active';
}
