import { type Clock, PeerAiError, type Random } from '@peerai/core-protocol';
import { nodeCrypto } from '@peerai/core-protocol/crypto-node';
import type { TransportDeps } from '../libp2p/options.ts';

/** The machine's clock behind the port. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal?.reason }));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }),
  deadline(ms, parent) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new PeerAiError('TIMEOUT', `not done within ${ms} ms`)), ms);
    timer.unref?.();
    if (parent?.aborted === true) controller.abort(parent.reason);
    else
      parent?.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          controller.abort(parent.reason);
        },
        { once: true, signal: controller.signal },
      );
    return controller.signal;
  },
};

export const realRandom: Random = { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) };

/** Deps with a fresh key that grant everything and say nothing. */
export function testDeps(overrides: Partial<TransportDeps> = {}): TransportDeps {
  return {
    seed: realRandom.bytes(32),
    clock: realClock,
    random: realRandom,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    isGranted: () => true,
    crypto: nodeCrypto,
    ...overrides,
  };
}
