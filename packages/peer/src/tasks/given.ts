import { type Change, PeerAiError, type PeerId, toHex } from '@peerai/core-protocol';
import type { DeliveryReport } from '@peerai/messaging';
import type { z } from 'zod';
import { limits } from '../limits.ts';
import { type Desk, ended, lastMs } from './desk.ts';
import { isOver, jsonBytes, type TaskHead } from './task-book.ts';
import type { TaskAnswer, TaskKind } from './task-letters.ts';
import type { taskRequestSchema } from './tasks.schema.ts';

/**
 * A task for another peer: on disk, then on its way. Throws DEVICE_UNKNOWN, REFUSED (blocked), PEER_UNREACHABLE (an older one without an address),
 * LIMIT_EXCEEDED, LIMIT_REACHED.
 */
export async function give(desk: Desk, request: z.output<typeof taskRequestSchema>): Promise<TaskHead> {
  const { peer, name, blocked, isReachable } = desk.known.find(request.to);
  if (blocked) throw new PeerAiError('REFUSED', `${name} is blocked here`);
  if (!isReachable) throw new PeerAiError('PEER_UNREACHABLE', `there is no address to send to ${name}`);
  const body = { description: request.description, context: request.context ?? {} };
  const bytes = jsonBytes(body);
  if (bytes > limits.taskBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a task of ${bytes} bytes; at most ${limits.taskBytesMax}`);
  const open = desk.book.list().filter((one) => one.direction === 'given' && one.peer === peer && !isOver(one)).length;
  if (open >= limits.tasksGivenPerPeerMax)
    throw new PeerAiError('LIMIT_REACHED', `${open} tasks for ${name} are not over; wait or cancel some`);
  const nowMs = desk.clock.nowMs();
  const head: TaskHead = {
    id: toHex(desk.random.bytes(16)),
    direction: 'given',
    peer,
    type: request.type,
    title: request.title ?? firstLine(request.description),
    priority: request.priority,
    status: 'pending',
    createdMs: nowMs,
    queuedMs: nowMs,
    ...(request.deadlineInMs === undefined ? {} : { deadlineMs: nowMs + request.deadlineInMs }),
    attempts: 0,
    bytes,
    owed: ['task_delegate'],
  };
  // Before it leaves, so that what comes back can be signed.
  const signs = (await desk.receipts?.asked(head, body)) === true;
  return desk.post(await desk.save(signs ? { ...head, receipt: true } : head, { body }));
}

/** What the other side says of a task given to it. What is over stays as it is. */
export async function hear(
  desk: Desk,
  sender: PeerId,
  kind: TaskKind,
  answer: TaskAnswer,
  read: readonly Change[],
): Promise<void> {
  const head = desk.book.get('given', sender, answer.id);
  if (head === undefined || isOver(head)) return desk.book.room.commit(read);
  const result = kind === 'task_complete' ? (answer.result ?? null) : undefined;
  if (head.receipt === true && kind !== 'task_accept' && kind !== 'task_progress') desk.receipts?.over(sender);
  await desk.save(heard(head, kind, answer, desk.clock.nowMs()), {
    alongside: read,
    ...(result === undefined || jsonBytes(result) > limits.taskResultBytesMax ? {} : { result }),
  });
}

function heard(head: TaskHead, kind: TaskKind, answer: TaskAnswer, nowMs: number): TaskHead {
  const { message, code, percent } = answer;
  const said = { ...(message === undefined ? {} : { message }), ...(code === undefined ? {} : { code }) };
  if (kind === 'task_accept') return { ...head, ...said, status: head.status === 'pending' ? 'assigned' : head.status };
  if (kind === 'task_progress') {
    const startedMs = head.startedMs ?? nowMs;
    return { ...head, ...said, status: 'in_progress', startedMs, ...(percent === undefined ? {} : { percent }) };
  }
  const isTooBig = kind === 'task_complete' && jsonBytes(answer.result ?? null) > limits.taskResultBytesMax;
  if (isTooBig) {
    const why = { code: 'LIMIT_EXCEEDED', message: `its result is larger than ${limits.taskResultBytesMax} bytes` };
    return ended(head, 'failed', nowMs, why);
  }
  const done = ended(head, answer.status, nowMs, said);
  return answer.status === 'completed' ? { ...done, percent: 100 } : done;
}

/** The message that gave a task is through. Refused or expired, so is the task. */
export async function delivered(desk: Desk, report: Pick<DeliveryReport, 'id' | 'state' | 'code'>): Promise<void> {
  const head = desk.book.list().find(({ letterId }) => letterId === report.id);
  if (head === undefined || report.state === 'queued') return;
  const { letterId: _, ...rest } = head;
  if (report.state === 'delivered' || isOver(head)) return desk.book.save(rest);
  const nowMs = desk.clock.nowMs();
  const code = report.code ?? 'REFUSED';
  await desk.save(
    report.state === 'refused'
      ? ended(rest, 'rejected', nowMs, { code, message: refusals[code] ?? 'the other side refused the message' })
      : ended(rest, 'timeout', nowMs, { code, message: 'it could not be delivered in time' }),
  );
}
const refusals: Readonly<Record<string, string>> = {
  REFUSED: 'this device may not give tasks there; its owner can allow it: peerai peers allow <this device> chat,tasks',
  UNKNOWN_KIND: 'the other side has a version that takes no tasks',
};

/** What nobody has begun is cancelled at once, else when the other side says so. Throws TASK_OVER. */
export async function withdraw(desk: Desk, head: TaskHead, reason: string | undefined): Promise<TaskHead> {
  const why = reason === undefined ? {} : { message: reason };
  const isUnsent = head.owed?.includes('task_delegate') === true;
  const owed = isUnsent ? {} : { owed: ['task_cancel'] as const };
  const next: TaskHead =
    head.status === 'pending'
      ? { ...ended(head, 'cancelled', desk.clock.nowMs(), why), ...owed }
      : { ...head, ...why, cancelling: true, owed: ['task_cancel'] };
  return desk.post(await desk.save(next));
}

/** Given tasks that nobody answered in time are over. */
export async function expire(desk: Desk): Promise<void> {
  const nowMs = desk.clock.nowMs();
  const late = desk.book
    .list()
    .filter((one) => one.direction === 'given' && !isOver(one) && lastMs(one) + limits.taskGraceMs < nowMs);
  for (const head of late) {
    const why = { code: 'TIMEOUT', message: 'no answer came before its time was over' };
    const owed = head.status === 'pending' ? {} : { owed: ['task_cancel'] as const };
    await desk.post(await desk.save({ ...ended(head, 'timeout', nowMs, why), ...owed }));
  }
}

const firstLine = (text: string): string => (text.trim().split('\n')[0] ?? '').slice(0, limits.taskTitleCharsMax);
