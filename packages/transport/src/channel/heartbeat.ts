import type { Clock } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

/** Something that wants to be looked at every tick. */
interface Beating {
  tick(): void;
}

/** One timer for all channels of a node; it runs only while there are channels. */
export interface Heart {
  add(beating: Beating): void;
  remove(beating: Beating): void;
  stop(): void;
}

/**
 * Ticks are counted, not clock time: after our own process was blocked for seconds only one tick passes before the
 * sockets are read, so a long computation here does not declare honest peers dead.
 */
export function createHeart(clock: Clock): Heart {
  const all = new Set<Beating>();
  const stopped = new AbortController();
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (all.size > 0 && !stopped.signal.aborted) {
      await clock.sleep(limits.heartbeatTickMs, stopped.signal).catch(() => undefined);
      if (stopped.signal.aborted) break;
      for (const beating of all) beating.tick();
    }
    running = false;
  }

  return {
    add(beating) {
      all.add(beating);
      if (!running) void run();
    },
    remove(beating) {
      all.delete(beating);
    },
    stop() {
      stopped.abort();
      all.clear();
    },
  };
}
