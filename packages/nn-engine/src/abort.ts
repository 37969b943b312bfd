import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from './errors.ts';

/** What a caller gets whose signal fired; the signal's reason is the cause. */
export function abortedError(signal: AbortSignal | undefined): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('ABORTED', 'The request was aborted.', {}, { cause: signal?.reason });
}

/** Throws ABORTED when the signal has fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError(signal);
}

/** The work's result, or ABORTED as soon as the signal fires; the work itself goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfAborted(signal);
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(abortedError(signal));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
