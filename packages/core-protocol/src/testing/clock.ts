import { PeerAiError } from '../errors.ts';
import type { Clock } from '../ports/index.ts';

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Lets everything that is ready run: promise reactions, and what they start. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 2; round += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** A clock that stands still until a test moves it. Timers fire in order of their time, then of their making. */
export class ManualClock implements Clock {
  #timers: Timer[] = [];
  #elapsedMs = 0;
  #startMs: number;

  /** @param startMs - wall time at the start, milliseconds since 1970. */
  constructor(startMs = 1_750_000_000_000) {
    this.#startMs = startMs;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      const stop = (): void => {
        cancel();
        reject(aborted(signal));
      };
      const cancel = this.#after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  deadline(ms: number, parent?: AbortSignal): AbortSignal {
    const controller = new AbortController();
    if (parent?.aborted) controller.abort(parent.reason);
    if (controller.signal.aborted) return controller.signal;
    const stop = (): void => {
      cancel();
      controller.abort(parent?.reason);
    };
    const cancel = this.#after(ms, () => {
      parent?.removeEventListener('abort', stop);
      controller.abort(new PeerAiError('TIMEOUT', `not done within ${ms} ms`));
    });
    parent?.addEventListener('abort', stop, { once: true });
    return controller.signal;
  }

  /** Moves time on, firing what falls due on the way; after each timer everything that is ready runs first. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settle();
    for (let timer = this.#timers[0]; timer !== undefined && timer.dueMs <= endMs; timer = this.#timers[0]) {
      this.#timers.shift();
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      timer.fire();
      await settle();
    }
    this.#elapsedMs = endMs;
  }

  /** Moves time from timer to timer until the promise settles. Throws TIMEOUT when `msMax` of our time or the timers run out first. */
  async until<T>(promise: Promise<T>, msMax = 3_600_000): Promise<T> {
    const endMs = this.#elapsedMs + msMax;
    const state = { done: false };
    const mark = (): void => {
      state.done = true;
    };
    promise.then(mark, mark);
    for (let idle = 0; idle < 50;) {
      await settle();
      if (state.done) return promise;
      const next = this.#timers[0];
      if (next === undefined) idle += 1;
      else if (next.dueMs > endMs) throw new PeerAiError('TIMEOUT', `not settled within ${msMax} ms of manual time`);
      else await this.advance(next.dueMs - this.#elapsedMs);
    }
    throw new PeerAiError('TIMEOUT', 'nothing moves any more and the promise has not settled');
  }

  /** Moves the wall clock only, as an administrator or NTP would. */
  jump(ms: number): void {
    this.#startMs += ms;
  }

  #after(ms: number, fire: () => void): () => void {
    const timer: Timer = { dueMs: this.#elapsedMs + Math.max(0, ms), fire };
    const place = this.#timers.findIndex((other) => other.dueMs > timer.dueMs);
    this.#timers.splice(place === -1 ? this.#timers.length : place, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
}

function aborted(signal: AbortSignal | undefined): PeerAiError {
  return PeerAiError.is(signal?.reason)
    ? signal.reason
    : new PeerAiError('ABORTED', 'the caller stopped this', {}, { cause: signal?.reason });
}
