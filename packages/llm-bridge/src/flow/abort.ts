import { type Clock, orAborted, type PeerAiError, reasonOf } from '@peerai/core-protocol';

export { orAborted, reasonOf };

/** Runs work until the parent's signal or a deadline ends it; leaves no timer and no listener behind. Throws TIMEOUT, the parent's reason. */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const stop = (): void => own.abort(parent.reason);
  parent.addEventListener('abort', stop, { once: true });
  if (parent.aborted) stop();
  const signal = clock.deadline(timeoutMs, own.signal);
  try {
    return await orAborted(work(signal), signal);
  } finally {
    parent.removeEventListener('abort', stop);
    own.abort();
  }
}

/** Fires when nothing touched it for its gap; one timer, however often it is touched. */
export interface Watchdog {
  readonly signal: AbortSignal;
  /** Something came: from now on `gapMs` may pass again. */
  touch(gapMs: number): void;
  stop(): void;
}

/** @param silent - makes the reason with which the signal fires. */
export function createWatchdog(clock: Clock, firstGapMs: number, silent: () => PeerAiError): Watchdog {
  const barking = new AbortController();
  const stopped = new AbortController();
  let dueMs = clock.elapsedMs() + firstGapMs;
  let wake = new AbortController();
  const watch = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const leftMs = dueMs - clock.elapsedMs();
      if (leftMs <= 0) return barking.abort(silent());
      wake = new AbortController();
      await clock.sleep(leftMs, wake.signal).catch(() => undefined);
    }
  };
  void watch();
  return {
    signal: barking.signal,
    touch(gapMs) {
      const sooner = clock.elapsedMs() + gapMs < dueMs;
      dueMs = clock.elapsedMs() + gapMs;
      if (sooner) wake.abort();
    },
    stop() {
      stopped.abort();
      wake.abort();
    },
  };
}
