import { type Clock, PeerAiError } from '@peerai/core-protocol';

/** Why a signal fired, as one of our errors: its own reason when that is one, else ABORTED. */
export function reasonOf(signal: AbortSignal): PeerAiError {
  return PeerAiError.is(signal.reason)
    ? signal.reason
    : new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal.reason });
}

/** The work's result, or the signal's reason as soon as it fires. The work itself goes on unheard. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(reasonOf(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

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
