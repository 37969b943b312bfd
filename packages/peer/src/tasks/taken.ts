import type { Change, PeerId } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type Desk, ended } from './desk.ts';
import { isOver, jsonBytes, type TaskHead } from './task-book.ts';
import type { TaskKind, TaskOrder } from './task-letters.ts';

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** A task that came: put in line or rejected, once; the same one again changes nothing. */
export async function take(desk: Desk, sender: PeerId, order: TaskOrder, read: readonly Change[]): Promise<void> {
  if (desk.book.get('taken', sender, order.id) !== undefined) return desk.book.room.commit(read);
  const nowMs = desk.clock.nowMs();
  const body = { description: order.description, context: order.context };
  const head: TaskHead = {
    id: order.id,
    direction: 'taken',
    peer: sender,
    type: order.type,
    title: order.title,
    priority: order.priority,
    status: 'assigned',
    createdMs: order.createdMs ?? nowMs,
    queuedMs: nowMs,
    ...(order.deadlineMs === undefined ? {} : { deadlineMs: order.deadlineMs }),
    attempts: 0,
    bytes: jsonBytes(body),
    ...(order.receipt === true ? { receipt: order.receipt } : {}),
  };
  const why = refusalOf(desk, head, nowMs);
  if (why === undefined)
    await desk.post(await desk.save({ ...head, owed: ['task_accept'] }, { body, alongside: read }));
  else {
    const rejected: TaskHead = { ...ended(head, 'rejected', nowMs, why), bytes: 0, owed: ['task_reject'] };
    await desk.post(await desk.save(rejected, { alongside: read }));
  }
}

function refusalOf({ book, handlers }: Desk, head: TaskHead, nowMs: number): Refusal | undefined {
  const waiting = book.list().filter((one) => one.direction === 'taken' && !isOver(one));
  const own = waiting.filter(({ peer }) => peer === head.peer);
  const types = handlers.types().join(', ') || 'none';
  if (handlers.find(head.type) === undefined)
    return { code: 'NO_HANDLER', message: `tasks of type ${head.type} are not done here; what is: ${types}` };
  if (head.bytes > limits.taskBytesMax)
    return { code: 'LIMIT_EXCEEDED', message: `a task of ${head.bytes} bytes; at most ${limits.taskBytesMax}` };
  if (head.createdMs + limits.taskLifeMsMax < nowMs || (head.deadlineMs ?? Infinity) <= nowMs)
    return { code: 'EXPIRED', message: 'its time was over when it came' };
  if (own.length >= limits.tasksWaitingPerPeerMax)
    return { code: 'QUEUE_FULL', message: `${own.length} of your tasks wait already` };
  if (waiting.length >= limits.tasksWaitingMax)
    return { code: 'QUEUE_FULL', message: `${waiting.length} tasks wait already` };
  if (own.reduce((sum, one) => sum + one.bytes, head.bytes) > limits.taskWaitingBytesPerPeerMax)
    return { code: 'QUEUE_FULL', message: 'your tasks that wait fill their room' };
  return undefined;
}

/** The end of a task here, told to whoever gave it. */
export async function conclude(
  desk: Desk,
  head: TaskHead,
  outcome:
    | { readonly status: 'completed'; readonly result: unknown }
    | ({ readonly status: 'failed' | 'cancelled' | 'timeout' } & Refusal),
): Promise<void> {
  const nowMs = desk.clock.nowMs();
  const giver = desk.known.get(head.peer);
  // Nobody writes to a peer that was removed or blocked.
  const owes = (kind: TaskKind) => (giver === undefined || giver.blocked || !giver.isReachable ? {} : { owed: [kind] });
  if (outcome.status === 'completed') {
    const { message: _, ...rest } = head;
    const done: TaskHead = { ...ended(rest, 'completed', nowMs), percent: 100, ...owes('task_complete') };
    await desk.post(await desk.save(done, { result: outcome.result }));
  } else {
    await desk.post(await desk.save({ ...ended(head, outcome.status, nowMs, outcome), ...owes('task_fail') }));
  }
}

/** Tasks that the end of the agent interrupted: back in line where that does no harm, failed where it might. */
export async function recover(desk: Desk): Promise<void> {
  for (const head of desk.book.list()) {
    if (head.direction !== 'taken' || head.status !== 'in_progress') continue;
    const stopped = head.cancelling === true;
    const again = desk.handlers.find(head.type)?.repeatable === true && head.attempts < limits.taskAttemptsMax;
    if (stopped) await conclude(desk, head, { status: 'cancelled', code: 'CANCELLED', message: 'cancelled' });
    else if (again) await desk.save({ ...head, status: 'assigned' });
    else
      await conclude(desk, head, {
        status: 'failed',
        code: 'INTERRUPTED',
        message: 'the agent ended while it ran; it may have been done in part and is not begun again',
      });
  }
}
