import { type Change, type EntryBody, equalBytes, PeerAiError } from '@peerai/core-protocol';
import { damaged } from './damaged.ts';
import { loadState } from './load.ts';
import type { LedgerDeps } from './open.ts';
import { headKey } from './rows.ts';
import { emptyState, extend, type LogState } from './state.ts';

/** Entries that are on their way to the disk. */
export interface Group {
  /** Place of the first of them. */
  readonly first: bigint;
  /** Rejects when nothing of it was written, as it is when a group before it was not. */
  readonly written: Promise<void>;
  /** The log is on disk up to here; called once it is, in order. */
  keep(): void;
}

/** A state and the row it is kept in. */
interface Edge {
  readonly state: LogState;
  readonly head: Uint8Array | undefined;
}

/** The right edge of a log: as it is on disk, and, beyond that, as it will be when all that was begun is. */
export interface LogEnd {
  /** As it is on disk. */
  readonly state: LogState;
  /** Why nothing can be appended, ever: what is on disk is not what was written. */
  readonly damage: PeerAiError | undefined;
  /** Reads it anew; nothing may be under way. Throws LEDGER_DAMAGED, which is then its `damage`, NOT_OUR_LOG. */
  load(): Promise<void>;
  /** Hands a group to the store that builds on the one begun before, whether that is on disk yet or not: the store looks. Throws `damage`. */
  begin(entries: readonly EntryBody[], alongside: readonly Change[]): Group;
  /**
   * After a group failed and nothing is under way any more: back to what is on disk; gives its size. Where that is not what was kept last, the log
   * is read anew, and has a `damage` if that fails. Never throws.
   */
  goBack(): Promise<bigint>;
}

export function createLogEnd(deps: LedgerDeps): LogEnd {
  const { crypto, store, identity, clock } = deps;
  let kept: Edge = { state: emptyState(crypto, identity), head: undefined };
  let begun = kept;
  let damage: PeerAiError | undefined;
  const load = async (): Promise<void> => {
    try {
      const head = await store.get(headKey);
      kept = { state: (await loadState(crypto, store, identity.peer)) ?? kept.state, head };
      damage = undefined;
    } catch (error) {
      if (PeerAiError.is(error, 'LEDGER_DAMAGED')) damage = error;
      throw error;
    } finally {
      begun = kept;
    }
  };
  return {
    get state() {
      return kept.state;
    },
    get damage() {
      return damage;
    },
    load,
    begin(entries, alongside) {
      if (damage !== undefined) throw damage;
      const before = begun;
      const { state, rows } = extend(deps, before.state, entries, Math.max(0, Math.trunc(clock.nowMs())));
      const changes = [...rows].map(([key, value]): Change =>
        key === headKey ? { ...store.put(key, value), expected: { value: before.head } } : store.put(key, value),
      );
      const after = { state, head: rows.get(headKey) };
      begun = after;
      return {
        first: before.state.range.size,
        written: store.commit([...changes, ...alongside]),
        keep() {
          kept = after;
        },
      };
    },
    async goBack() {
      begun = kept;
      const { size } = kept.state.range;
      try {
        const head = await store.get(headKey);
        const isKept = head === undefined || kept.head === undefined ? head === kept.head : equalBytes(head, kept.head);
        if (!isKept) await load();
        const left = kept.head === undefined ? 0n : kept.state.range.size;
        if (left < size) damage = damaged(left, 'the entry was there before');
      } catch {
        // Damaged, which is said to the next append, or a store that is broken says that itself.
      }
      return kept.state.range.size;
    },
  };
}
