import type { Clock, PeerId } from '@peerai/core-protocol';
import { sessionRoomLimits } from './limits.ts';

/** Values of peers by a key, so many of one peer and so many in all: the oldest goes for one more. */
export interface PeerTable<T> {
  get(key: string): T | undefined;
  /** In the order they came. */
  values(): readonly T[];
  put(key: string, peer: PeerId, value: T): void;
  /** Takes it out without `dropped`. */
  take(key: string): T | undefined;
  /** Drops each that `over` says is. */
  sweep(over: (value: T) => boolean): void;
}

export function createPeerTable<T>(
  { max, perPeerMax }: { readonly max: number; readonly perPeerMax: number },
  dropped: (value: T) => void,
): PeerTable<T> {
  const rows = new Map<string, { readonly peer: PeerId; readonly value: T }>();
  const drop = (key: string): void => {
    const row = rows.get(key);
    rows.delete(key);
    if (row !== undefined) dropped(row.value);
  };
  return {
    get: (key) => rows.get(key)?.value,
    values: () => Array.from(rows.values(), ({ value }) => value),
    put(key, peer, value) {
      drop(key);
      rows.set(key, { peer, value });
      const own = Array.from(rows).filter(([, row]) => row.peer === peer);
      for (const [old] of own.slice(0, Math.max(0, own.length - perPeerMax))) drop(old);
      const [oldest] = rows.keys();
      if (rows.size > max && oldest !== undefined) drop(oldest);
    },
    take(key) {
      const row = rows.get(key);
      rows.delete(key);
      return row?.value;
    },
    sweep(over) {
      for (const [key, { value }] of rows) if (over(value)) drop(key);
    },
  };
}

/** A call keeps `sweep` going while it says that something is there: what is over loses its keys, also when nobody asks any more. */
export function sweeper(clock: Pick<Clock, 'sleep'>, sweep: () => boolean, signal: AbortSignal): () => void {
  let isRunning = false;
  const run = async (): Promise<void> => {
    do await clock.sleep(sessionRoomLimits.sweepMs, signal);
    while (sweep());
  };
  return () => {
    if (isRunning || signal.aborted) return;
    isRunning = true;
    void run()
      .catch(() => undefined)
      .finally(() => {
        isRunning = false;
      });
  };
}
