import { type Clock, PeerAiError } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/**
 * The machine's time, in Node and in a tab. `elapsedMs` is `performance.now()`: it never goes back.
 *
 * A sleep keeps a Node process alive, a deadline does not: it only ends what something else waits for.
 */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep,
  deadline,
};

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal));
    const stop = (): void => {
      timer.cancel();
      reject(aborted(signal));
    };
    const timer = after(ms, true, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function deadline(ms: number, parent?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  if (parent?.aborted) {
    controller.abort(parent.reason);
    return controller.signal;
  }
  const stop = (): void => {
    timer.cancel();
    controller.abort(parent?.reason);
  };
  const timer = after(ms, false, () => {
    parent?.removeEventListener('abort', stop);
    controller.abort(new PeerAiError('TIMEOUT', `not done within ${ms} ms`));
  });
  parent?.addEventListener('abort', stop, { once: true });
  return controller.signal;
}

/** One timer of any length; `setTimeout` alone fires at once above 2^31 - 1 ms. */
function after(ms: number, keepAlive: boolean, fire: () => void): { cancel(): void } {
  const endMs = performance.now() + Math.max(0, ms);
  let handle: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const leftMs = endMs - performance.now();
    if (leftMs > limits.timerMsMax) handle = setTimeout(arm, limits.timerMsMax);
    else handle = setTimeout(fire, Math.ceil(Math.max(0, leftMs)));
    if (!keepAlive && typeof handle === 'object') (handle as { unref?(): void }).unref?.();
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}

function aborted(signal: AbortSignal | undefined): PeerAiError {
  return PeerAiError.is(signal?.reason)
    ? signal.reason
    : new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal?.reason });
}
