import type { Clock } from '@peerai/core-protocol';
import { limits } from './limits.ts';

/** How busy this device's clusters were: the part of the last `limits.loadMs` that was spent in them, by the clock. */
export class Load {
  readonly #clock: Clock;
  #sinceMs: number;
  #busyMs = 0;
  #before = 0;
  lastActivityMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.elapsedMs();
    this.lastActivityMs = clock.nowMs();
  }

  measure<T>(work: () => T): T {
    const startMs = this.#clock.elapsedMs();
    this.#turn(startMs);
    try {
      return work();
    } finally {
      this.#busyMs += this.#clock.elapsedMs() - startMs;
      this.lastActivityMs = this.#clock.nowMs();
    }
  }

  /** 0 to 1: the whole part before, and what there is of this one. */
  now(): number {
    const nowMs = this.#clock.elapsedMs();
    this.#turn(nowMs);
    const share = Math.min(1, this.#busyMs / limits.loadMs);
    return Math.min(1, Math.max(share, this.#before));
  }

  #turn(nowMs: number): void {
    const passed = nowMs - this.#sinceMs;
    if (passed < limits.loadMs) return;
    // After a longer rest the part before this one was idle.
    this.#before = passed < 2 * limits.loadMs ? Math.min(1, this.#busyMs / limits.loadMs) : 0;
    this.#busyMs = 0;
    this.#sinceMs = nowMs;
  }
}
