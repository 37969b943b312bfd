import type { Clock, PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import type { LinkEntry } from './link-table.ts';
import { inUse } from './upgrader.ts';

/** Ends what two peers have beside the link they use: each dialled the other at the same moment, or one of them twice. */
export interface SpareLinks {
  /** To be called from time to time. Ends links that carry nothing, and never the last proven one of their kind. */
  sweep(): void;
}

/** One side decides, the one whose id comes first: each ending another link would leave none. */
export function createSpareLinks(
  clock: Pick<Clock, 'elapsedMs'>,
  self: PeerId,
  links: () => readonly LinkEntry[],
): SpareLinks {
  const seenMs = new Map<string, number>();
  return {
    sweep() {
      const nowMs = clock.elapsedMs();
      const direct = links().filter(({ connection }) => connection.direct && connection.status === 'open');
      const live = new Set(direct.map(({ connection }) => connection.id));
      for (const id of seenMs.keys()) if (!live.has(id)) seenMs.delete(id);
      for (const id of live) if (!seenMs.has(id)) seenMs.set(id, nowMs);
      const isOld = ({ connection }: LinkEntry): boolean =>
        nowMs - (seenMs.get(connection.id) ?? nowMs) >= limits.spareLinkMs;
      for (const [peer, own] of Map.groupBy(direct, ({ link }) => link.peer)) {
        const proven = own.filter((entry) => entry.proven);
        if (self > peer || proven.length < 2) continue;
        const kept = proven.find(({ connection }) => inUse(connection)) ?? proven[0];
        for (const entry of proven)
          if (entry !== kept && isOld(entry) && !inUse(entry.connection))
            entry.connection.close().catch(() => undefined);
      }
    },
  };
}
