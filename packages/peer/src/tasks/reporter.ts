import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type Desk, letterPriority } from './desk.ts';
import { isOver, type TaskHead } from './task-book.ts';
import { answerPayload } from './task-letters.ts';

/** How far a task is: told to listeners here and to the peer that gave it, the newest only and never faster than the limits say. */
export interface Reporter {
  progress(percent: number, message?: string): void;
  stop(): void;
}

export function createReporter(desk: Desk, now: () => TaskHead): Reporter {
  const stopping = new AbortController();
  let toldMs = -Infinity;
  let isSending = false;
  let isNews = false;

  /** One message under way at a time, so that a peer that is away is not written to a thousand times. */
  const sendAll = async (): Promise<void> => {
    isSending = true;
    while (isNews && !stopping.signal.aborted) {
      isNews = false;
      await sendOne(desk, now(), stopping.signal).catch((error: unknown) =>
        desk.logger.debug('task-progress-unsent', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }),
      );
      await desk.clock.sleep(limits.taskProgressEveryMs, stopping.signal).catch(() => undefined);
    }
    isSending = false;
  };
  return {
    progress(percent, message) {
      const head = now();
      if (stopping.signal.aborted || isOver(head)) return;
      const next: TaskHead = {
        ...head,
        percent: Math.max(0, Math.min(100, Number.isFinite(percent) ? percent : 0)),
        ...(message === undefined ? {} : { message: message.slice(0, limits.taskReasonCharsMax) }),
      };
      desk.book.note(next);
      const elapsedMs = desk.clock.elapsedMs();
      if (elapsedMs - toldMs >= limits.taskToldEveryMs) {
        toldMs = elapsedMs;
        desk.tell(next);
      }
      isNews = true;
      if (!isSending) void sendAll();
    },
    stop: () => stopping.abort(),
  };
}

/** Resolves when the message is through or the run is over. */
async function sendOne({ clock, messenger, self }: Desk, head: TaskHead, signal: AbortSignal): Promise<void> {
  const { promise: through, resolve } = Promise.withResolvers<void>();
  const ended = new Set<string>();
  let sent = '';
  const listening = messenger.deliveries(({ id }) => {
    ended.add(id);
    if (id === sent) resolve();
  });
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  try {
    const { id, percent, message } = head;
    const answer = { id, status: 'in_progress' as const, atMs: clock.nowMs() };
    const said = { ...(percent === undefined ? {} : { percent }), ...(message === undefined ? {} : { message }) };
    const payload = answerPayload('task_progress', { ...answer, ...said }, self);
    sent = await messenger.send({ to: head.peer, kind: 'task_progress', payload, priority: letterPriority(head) });
    if (ended.has(sent)) resolve();
    await through;
  } finally {
    listening[Symbol.dispose]();
  }
}
