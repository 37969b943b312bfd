import { type Clock, PeerAiError } from '@peerai/core-protocol';

/** The machine's time, for tests of what waits for real sockets. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(PeerAiError.is(signal?.reason) ? signal.reason : new PeerAiError('ABORTED', 'the caller stopped this'));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal?.aborted === true) stop();
      signal?.addEventListener('abort', stop, { once: true });
    }),
  deadline(ms, parent) {
    const ending = new AbortController();
    const stop = (): void => {
      clearTimeout(timer);
      ending.abort(parent?.reason);
    };
    const timer = setTimeout(() => ending.abort(new PeerAiError('TIMEOUT', `not done within ${ms} ms`)), ms);
    if (parent?.aborted === true) stop();
    parent?.addEventListener('abort', stop, { once: true });
    return ending.signal;
  },
};
