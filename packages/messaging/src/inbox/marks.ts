import { type Clock, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { collect, expiredBefore, markKey, markOf, under } from '../rows.ts';

/** Counts what is remembered for each sender, and forgets what has expired: such a letter is refused for its date. */
export interface Marks {
  /** Throws LIMIT_REACHED with `retryAfterMs` when this sender has too many letters remembered. */
  makeRoom(sender: PeerId): Promise<void>;
  added(sender: PeerId): void;
}

export function createMarks({ store, clock }: { readonly store: Store; readonly clock: Clock }): Marks {
  const counts = new Map<PeerId, number>();
  let sweptMs = Number.NEGATIVE_INFINITY;
  let sweeping: Promise<void> | undefined;
  const countOf = async (sender: PeerId): Promise<number> => {
    const known = counts.get(sender);
    if (known !== undefined) return known;
    const count = (await collect(store.range(...under(`in/${sender}`)))).length;
    counts.set(sender, counts.get(sender) ?? count);
    return count;
  };
  const sweep = async (): Promise<void> => {
    sweptMs = clock.elapsedMs();
    const rows = await collect(
      store.range(...expiredBefore(clock.nowMs() - limits.sweepMarginMs), { limit: limits.sweepMarksMax }),
    );
    if (rows.length === 0) return;
    const marks = rows.map(({ key }) => ({ key, ...markOf(key) }));
    await store.commit(marks.flatMap(({ key, sender, id }) => [store.put(key), store.put(markKey(sender, id))]));
    // Counted again when next needed: simpler than to be right about every way here.
    for (const { sender } of marks) counts.delete(sender);
  };
  return {
    makeRoom: async (sender) => {
      if (clock.elapsedMs() - sweptMs >= limits.sweepMsMin) {
        sweeping ??= sweep().finally(() => {
          sweeping = undefined;
        });
        await sweeping;
      }
      if ((await countOf(sender)) < limits.inboxMarksPerPeerMax) return;
      const details = { retryAfterMs: limits.retryMsMax };
      throw new PeerAiError('LIMIT_REACHED', 'too many messages of this peer are remembered', details);
    },
    added: (sender) => {
      const count = counts.get(sender);
      if (count !== undefined) counts.set(sender, count + 1);
    },
  };
}
