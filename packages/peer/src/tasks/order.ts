import type { PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type TaskPriority, taskPrioritySchema } from './tasks.schema.ts';

/** What the order depends on. */
export interface InLine {
  readonly peer: PeerId;
  readonly priority: TaskPriority;
  /** When it was put in line. */
  readonly queuedMs: number;
}

/**
 * Which task is next: the highest rank, where a task gains one for each `taskAgeingMs` it has waited, so that none waits for ever; among equals
 * that of the peer with the fewest running, then the oldest. Pure.
 */
export function nextTask<T extends InLine>(
  waiting: readonly T[],
  running: readonly InLine[],
  nowMs: number,
): T | undefined {
  const busy = (peer: PeerId): number => running.filter((one) => one.peer === peer).length;
  const before = (a: T, b: T): boolean => {
    const ranks = rankOf(a, nowMs) - rankOf(b, nowMs);
    if (ranks !== 0) return ranks > 0;
    const load = busy(a.peer) - busy(b.peer);
    return load === 0 ? a.queuedMs < b.queuedMs : load < 0;
  };
  return waiting.reduce<T | undefined>(
    (best, one) => (best === undefined || before(one, best) ? one : best),
    undefined,
  );
}

function rankOf({ priority, queuedMs }: InLine, nowMs: number): number {
  const waitedMs = Math.max(0, nowMs - queuedMs);
  return taskPrioritySchema.options.indexOf(priority) + Math.floor(waitedMs / limits.taskAgeingMs);
}
