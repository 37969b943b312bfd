import { PeerAiError } from './errors.ts';
import type { Clock } from './ports/index.ts';

/** Runs work until the caller's signal or a deadline ends it; leaves no timer and no listener behind. */
export async function bounded<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const caller = new AbortController();
  const stop = (): void => caller.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await work(clock.deadline(timeoutMs, caller.signal));
  } finally {
    signal.removeEventListener('abort', stop);
    caller.abort();
  }
}

/** Why a signal fired, as one of our errors: its own reason when that is one, else ABORTED. */
export function reasonOf(signal: AbortSignal): PeerAiError {
  return PeerAiError.is(signal.reason)
    ? signal.reason
    : new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal.reason });
}

/** The work's result, or the signal's reason as soon as it fires; the work itself goes on unheard, so it must end by itself. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(reasonOf(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
