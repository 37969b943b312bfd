import { type Clock, type Logger, orAborted, PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { jsonBytes, type TaskBody, type TaskHead } from './task-book.ts';
import type { TaskHandler } from './task-handler.ts';

export type Outcome =
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'failed' | 'cancelled' | 'timeout'; readonly code: string; readonly message: string };

/** Why a run was stopped: the reason of its signal has one of these codes. */
export const stopCodes = { cancel: 'CANCELLED', shutdown: 'SHUTDOWN' } as const;

/**
 * One run of a handler to its end, its deadline or the signal. Never throws; undefined when the agent stops, which is no end of the task.
 * A handler that does not end `taskEndMsMax` after it was told to is left behind, its result unheard.
 */
export async function work(
  deps: { readonly clock: Clock; readonly logger: Logger },
  { head, body, handler }: { readonly head: TaskHead; readonly body: TaskBody; readonly handler: TaskHandler },
  signal: AbortSignal,
  progress: (percent: number, message?: string) => void,
): Promise<Outcome | undefined> {
  const { clock } = deps;
  const leftMs = (head.deadlineMs ?? Infinity) - clock.nowMs();
  const done = new AbortController();
  const limit = clock.deadline(
    Math.max(1, Math.min(limits.taskRunMsMax, leftMs)),
    AbortSignal.any([signal, done.signal]),
  );
  const { id, peer, type, title, attempts: attempt, receipt } = head;
  const task = { id, peer, type, title, ...body, attempt, ...(receipt === true ? { receipt } : {}) };
  try {
    const running = Promise.resolve().then(() => handler.run(task, { signal: limit, progress }));
    const result = await Promise.race([running, left(clock, limit, done.signal)]);
    return checked(result);
  } catch (error) {
    return failure(deps, head, signal, limit, error);
  } finally {
    done.abort();
  }
}

/** Rejects with the signal's reason, though only after the time its handler has to end by itself. */
async function left(clock: Clock, limit: AbortSignal, done: AbortSignal): Promise<never> {
  const never = new Promise<never>(() => undefined);
  await orAborted(never, limit).catch(() => undefined);
  const isShutdown = PeerAiError.is(limit.reason, stopCodes.shutdown);
  await clock.sleep(isShutdown ? limits.taskShutdownMsMax : limits.taskEndMsMax, done).catch(() => undefined);
  throw limit.reason as Error;
}

function checked(result: unknown): Outcome {
  const bytes = jsonBytes(result ?? null);
  if (bytes <= limits.taskResultBytesMax) return { status: 'completed', result: result ?? null };
  const message = `the result has ${bytes} bytes; at most ${limits.taskResultBytesMax}`;
  return { status: 'failed', code: 'LIMIT_EXCEEDED', message };
}

function failure(
  { logger }: { readonly logger: Logger },
  head: TaskHead,
  signal: AbortSignal,
  limit: AbortSignal,
  error: unknown,
): Outcome | undefined {
  if (signal.aborted) {
    if (PeerAiError.is(signal.reason, stopCodes.shutdown)) return undefined;
    const message = PeerAiError.is(signal.reason) ? signal.reason.message : 'cancelled';
    return { status: 'cancelled', code: 'CANCELLED', message };
  }
  if (limit.aborted) return { status: 'timeout', code: 'TIMEOUT', message: 'its time was over while it ran' };
  if (PeerAiError.is(error)) return { status: 'failed', code: error.code, message: error.message };
  logger.error('task-handler-failed', { type: head.type, error: error instanceof Error ? error.name : typeof error });
  return { status: 'failed', code: 'HANDLER_FAILED', message: 'its handler failed' };
}
