import { type Change, PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type Desk, mayGive } from './desk.ts';
import { nextTask } from './order.ts';
import { createReporter } from './reporter.ts';
import { conclude } from './taken.ts';
import { isOver, type TaskHead } from './task-book.ts';
import { stopCodes, work } from './worker.ts';

/** Tasks taken, waiting and running. Its methods are called inside the book's turn. */
export interface Line {
  /** Begins as many as may run, those past their deadline end. */
  advance(): Promise<void>;
  /** A waiting one ends, a running one is told to. */
  cancel(head: TaskHead, reason: string, alongside?: readonly Change[]): Promise<TaskHead>;
  /** Tells all to end and waits for them; they are interrupted, not over. */
  stop(): Promise<void>;
}

export function createLine(desk: Desk, later: (job: () => Promise<unknown>) => Promise<void>): Line {
  const running = new Map<string, { readonly head: TaskHead; readonly stop: AbortController; done: Promise<void> }>();
  const stopping = new AbortController();
  const keyOf = ({ peer, id }: TaskHead): string => `${peer} ${id}`;
  const now = (head: TaskHead): TaskHead => desk.book.get('taken', head.peer, head.id) ?? head;

  const begin = async (head: TaskHead): Promise<void> => {
    if (!mayGive(desk, head.peer)) {
      const message = 'the right to give tasks was taken away';
      return conclude(desk, head, { status: 'cancelled', code: 'CANCELLED', message });
    }
    const handler = desk.handlers.find(head.type);
    if (handler === undefined) {
      const message = `tasks of type ${head.type} are not done here any more`;
      return conclude(desk, head, { status: 'failed', code: 'NO_HANDLER', message });
    }
    const body = (await desk.book.body(head)) ?? { description: '', context: {} };
    const startedMs = desk.clock.nowMs();
    const { percent: _, ...rest } = head;
    const begun: TaskHead = { ...rest, status: 'in_progress', startedMs, attempts: head.attempts + 1 };
    // On disk before anything happens: after a kill it is known to have been begun.
    await desk.save(begun);
    const stop = new AbortController();
    const reporter = createReporter(desk, () => now(begun));
    const run = async (): Promise<void> => {
      const outcome = await work(desk, { head: begun, body, handler }, stop.signal, (percent, message) =>
        reporter.progress(percent, message),
      );
      reporter.stop();
      await later(async () => {
        running.delete(keyOf(head));
        if (outcome !== undefined) await conclude(desk, now(begun), outcome);
        await advance();
      });
    };
    const entry = { head: begun, stop, done: Promise.resolve() };
    running.set(keyOf(head), entry);
    entry.done = run();
    reporter.progress(0);
  };

  const advance = async (): Promise<void> => {
    const nowMs = desk.clock.nowMs();
    const inLine = (): TaskHead[] =>
      desk.book.list().filter((one) => one.direction === 'taken' && one.status === 'assigned');
    for (const head of inLine()) {
      if ((head.deadlineMs ?? Infinity) > nowMs) continue;
      const message = 'its time was over before its turn came';
      await conclude(desk, head, { status: 'timeout', code: 'TIMEOUT', message });
    }
    while (!stopping.signal.aborted && running.size < desk.concurrency) {
      const next = nextTask(
        inLine(),
        [...running.values()].map(({ head }) => head),
        nowMs,
      );
      if (next === undefined) return;
      await begin(next);
    }
  };
  return {
    advance,
    async cancel(head, reason, alongside = []) {
      if (isOver(head)) return head;
      const entry = running.get(keyOf(head));
      if (entry !== undefined) {
        const told = await desk.save({ ...head, cancelling: true }, { alongside });
        entry.stop.abort(new PeerAiError(stopCodes.cancel, reason.slice(0, limits.taskReasonCharsMax)));
        return told;
      }
      await conclude(desk, head, { status: 'cancelled', code: 'CANCELLED', message: reason });
      if (alongside.length > 0) await desk.book.room.commit(alongside);
      return now(head);
    },
    async stop() {
      stopping.abort();
      const all = [...running.values()];
      for (const { stop } of all) stop.abort(new PeerAiError(stopCodes.shutdown, 'the agent stops'));
      await Promise.all(all.map(({ done }) => done));
    },
  };
}
