import {
  type Clock,
  type Logger,
  type MessagePriority,
  PeerAiError,
  type PeerId,
  type Random,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import type { EventHub } from '../events/hub.ts';
import type { KnownPeers } from '../http/known-peers.ts';
import { limits } from '../limits.ts';
import { handleOf, isOver, type TaskBook, type TaskHead } from './task-book.ts';
import type { TaskHandlers } from './task-handler.ts';
import { answerPayload, orderPayload, type TaskKind } from './task-letters.ts';
import type { TaskReceipts } from './task-receipts.ts';
import type { TaskStatus, TaskView } from './tasks.schema.ts';

export interface TasksDeps {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly messenger: PeerMessenger;
  /** Devices, and older peers. */
  readonly known: KnownPeers;
  readonly events: EventHub;
  readonly nameOf: (peer: PeerId) => string;
  readonly handlers: TaskHandlers;
  /** Signs for what models of devices do; without it no receipts are made for tasks given from here. */
  readonly receipts?: TaskReceipts;
  /** Tasks run at once. */
  readonly concurrency: number;
}
/** What both sides of a task need: its books, its mail, its news. */
export interface Desk extends TasksDeps {
  readonly book: TaskBook;
  /** Writes, then tells. */
  save(head: TaskHead, more?: Parameters<TaskBook['save']>[1]): Promise<TaskHead>;
  /** Gives the messenger what is owed. What does not fit its outbox stays owed. */
  post(head: TaskHead): Promise<TaskHead>;
  view(head: TaskHead): TaskView;
  tell(head: TaskHead): void;
}

export function createDesk(deps: TasksDeps, book: TaskBook): Desk {
  const view = (head: TaskHead): TaskView => ({
    id: handleOf(head),
    direction: head.direction,
    peerId: head.peer,
    peerName: deps.nameOf(head.peer),
    type: head.type,
    title: head.title,
    priority: head.priority,
    status: head.status,
    createdMs: head.createdMs,
    deadlineMs: head.deadlineMs ?? null,
    startedMs: head.startedMs ?? null,
    endedMs: head.endedMs ?? null,
    percent: head.percent ?? null,
    message: head.message ?? null,
    code: head.code ?? null,
    cancelling: head.cancelling === true && !isOver(head),
    attempts: head.attempts,
  });
  const tell = (head: TaskHead): void => deps.events.emit({ type: 'task-changed', task: view(head) });
  const desk: Desk = {
    ...deps,
    book,
    view,
    tell,
    async save(head, more) {
      await book.save(head, more);
      tell(head);
      return head;
    },
    async post(head) {
      let now = head;
      for (const kind of head.owed ?? []) {
        const sent = await send(desk, now, kind);
        if (sent === undefined) return now;
        now = sent;
      }
      return now;
    },
  };
  return desk;
}

/** Whether this peer may give tasks here now: it has the right, and an address for the answers. */
export function mayGive({ known }: Pick<Desk, 'known'>, peer: PeerId): boolean {
  const giver = known.get(peer);
  return giver !== undefined && !giver.blocked && giver.isReachable && giver.allow.includes('tasks');
}

/** The end of a task, with the message that says so. */
export function ended(
  head: TaskHead,
  status: TaskStatus,
  nowMs: number,
  said: { readonly message?: string; readonly code?: string } = {},
): TaskHead {
  const { owed: _owed, cancelling: _cancelling, ...rest } = head;
  const { message, code } = said;
  return {
    ...rest,
    status,
    endedMs: nowMs,
    ...(message === undefined ? {} : { message: message.slice(0, limits.taskReasonCharsMax) }),
    ...(code === undefined ? {} : { code }),
  };
}

/** All letters about one task have the same, so that none overtakes another: a task, and then that it is cancelled. */
export function letterPriority({ priority }: Pick<TaskHead, 'priority'>): MessagePriority {
  if (priority === 'low' || priority === 'normal') return priority;
  return 'high';
}

/** One owed message, and the head without that debt; undefined when the outbox has no room now. */
async function send(desk: Desk, head: TaskHead, kind: TaskKind): Promise<TaskHead | undefined> {
  const { owed = [], ...rest } = head;
  const left = owed.filter((one) => one !== kind);
  const paid: TaskHead = left.length === 0 ? rest : { ...rest, owed: left };
  try {
    const letterId = await desk.messenger.send({
      to: head.peer,
      kind,
      payload: await payloadOf(desk, head, kind),
      priority: letterPriority(head),
      ...(kind === 'task_delegate' ? { expiresMs: lastMs(head) } : {}),
    });
    await desk.book.save(kind === 'task_delegate' ? { ...paid, letterId } : paid);
    return kind === 'task_delegate' ? { ...paid, letterId } : paid;
  } catch (error) {
    if (PeerAiError.is(error, 'LIMIT_REACHED')) return undefined;
    if (!PeerAiError.is(error, 'LIMIT_EXCEEDED', 'INVALID_FORMAT', 'EXPIRED')) throw error;
    const unsaid = { code: error.code, message: error.message };
    if (kind === 'task_complete') {
      const failed = { ...ended(head, 'failed', desk.clock.nowMs(), unsaid), owed: ['task_fail'] as const };
      return send(desk, await desk.save(failed), 'task_fail');
    }
    const status = error.code === 'EXPIRED' ? 'timeout' : 'failed';
    return desk.save(kind === 'task_delegate' ? ended(paid, status, desk.clock.nowMs(), unsaid) : paid);
  }
}

/** When a given task is of no use any more, wall time. */
export const lastMs = ({ deadlineMs, createdMs }: TaskHead): number =>
  deadlineMs ?? createdMs + limits.taskLifeMsDefault;

async function payloadOf({ self, book, clock }: Desk, head: TaskHead, kind: TaskKind): Promise<object> {
  if (kind === 'task_cancel') return { task_id: head.id, reason: head.message ?? '' };
  if (kind === 'task_delegate') {
    const { description, context } = (await book.body(head)) ?? { description: '', context: {} };
    return orderPayload({ ...head, deadlineMs: head.deadlineMs, description, context }, self, head.peer);
  }
  const { message, code, percent } = head;
  const answer = {
    id: head.id,
    status: kind === 'task_accept' ? ('assigned' as const) : head.status,
    atMs: head.endedMs ?? clock.nowMs(),
    ...(message === undefined ? {} : { message }),
    ...(code === undefined ? {} : { code }),
    ...(kind === 'task_progress' && percent !== undefined ? { percent } : {}),
    ...(kind === 'task_complete' ? { result: (await book.result(head)) ?? null } : {}),
  };
  return answerPayload(kind, answer, self);
}
