import type { Held, Holdings } from './holdings.ts';
import { commit, type Inner } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { usesKey, usesRow } from './rows.ts';
import type { Found } from './search.ts';

type UsesInner = Pick<Inner, 'store' | 'clock' | 'closing' | 'inTurn'> & { readonly holdings: Pick<Holdings, 'get'> };

/** Counts what searches returned. */
export interface Uses {
  note(found: readonly Pick<Found, 'held'>[]): void;
  /** Resolves when everything noted is on disk; the memory is closing. Throws what the store throws. */
  settled(): Promise<void>;
}

/**
 * Searches do not wait for the disk: a count is written a second after, all that came meanwhile in one commit. After a crash the last ones may be
 * missing, and when the store refuses they are tried again with the next.
 */
export function createUses(inner: UsesInner): Uses {
  // A set of them would read each id for its hash; here each is once for every time it was found, until that makes the list long.
  let waiting: Held[] = [];
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    const noted = waiting;
    waiting = [];
    const changes = [...new Set(noted.map(({ facts }) => facts.id))].flatMap((id) => {
      const held = inner.holdings.get(id);
      return held === undefined ? [] : [inner.store.put(usesKey(id), usesRow(held.uses))];
    });
    try {
      await commit(inner, [{ changes, apply: () => undefined }]);
    } catch (error) {
      waiting = [...noted, ...waiting];
      throw error;
    }
  };
  const writeSoon = async (): Promise<void> => {
    await inner.clock.sleep(limits.usesDelayMs, inner.closing.signal).catch(() => undefined);
    await inner.inTurn(write);
  };
  return {
    note(found) {
      for (const one of found) {
        const held = one.held.of ?? one.held;
        held.uses += 1;
        waiting.push(held);
      }
      if (waiting.length === 0) return;
      if (waiting.length > limits.usesWaitingMax) waiting = [...new Set(waiting)];
      writing ??= writeSoon().finally(() => {
        writing = undefined;
      });
      writing.catch(() => undefined);
    },
    async settled() {
      await writing?.catch(() => undefined);
      if (waiting.length > 0) await inner.inTurn(write);
    },
  };
}
