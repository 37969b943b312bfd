import { PeerAiError } from '@peerai/core-protocol';
import { z } from 'zod';
import { limits } from '../limits.ts';
import type { TaskPriority, TaskStatus } from './tasks.schema.ts';

/** Kinds of messages about tasks, with the field names of the peer protocol. `task_cancel` is ours. */
export const taskKinds = [
  'task_delegate',
  'task_cancel',
  'task_accept',
  'task_reject',
  'task_progress',
  'task_complete',
  'task_fail',
] as const;
export type TaskKind = (typeof taskKinds)[number];

/** What a peer asks to be done. */
export interface TaskOrder {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly priority: TaskPriority;
  /** Absent where its giver did not say. */
  readonly createdMs: number | undefined;
  readonly deadlineMs: number | undefined;
  /** Its giver signs a receipt for what a model does. */
  readonly receipt?: true;
}
/** What becomes of it; each has its own kind of message. */
export interface TaskAnswer {
  readonly id: string;
  readonly status: TaskStatus;
  readonly message?: string;
  readonly code?: string;
  readonly percent?: number;
  readonly result?: unknown;
}

const idText = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/);
const priorities = ['low', 'normal', 'high', 'critical', 'emergency'] as const;
/** `HIGH`, `high`, 2; what nobody knows is normal. */
const priorityText = z
  .union([z.string().max(32), z.number()])
  .transform((said): TaskPriority =>
    typeof said === 'number'
      ? (priorities[said] ?? 'normal')
      : (priorities.find((one) => one === said.toLowerCase()) ?? 'normal'),
  );
/** ISO 8601, or UNIX seconds as older peers may write it. */
const instant = z.union([z.string().max(40), z.number()]).transform((said, context) => {
  const ms = typeof said === 'number' ? said * 1_000 : Date.parse(said);
  if (Number.isFinite(ms)) return ms;
  context.addIssue({ code: 'custom', message: 'not a time' });
  return z.NEVER;
});
const reason = z
  .string()
  .transform((text) => text.slice(0, limits.taskReasonCharsMax))
  .nullish();

const typeText = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*$/)
  .max(limits.taskTypeCharsMax)
  .nullish();
/** Older implementations send the first and the fourth alone. */
const orderShape = z.object({
  task_id: idText,
  task_type: typeText,
  type: typeText,
  title: z.string().nullish(),
  description: z.string(),
  context: z.record(z.string(), z.unknown()).nullish(),
  priority: priorityText.nullish(),
  created_at: instant.nullish(),
  deadline: instant.nullish(),
  receipt: z.boolean().nullish(),
});
const cancelShape = z.object({ task_id: idText, reason });
const answerShape = z.object({
  task_id: idText,
  status: z.enum(['assigned', 'in_progress', 'completed', 'failed', 'cancelled', 'timeout', 'rejected']).nullish(),
  message: reason,
  reason,
  error_code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .nullish(),
  progress_percent: z.number().min(0).max(100).nullish(),
  result: z.unknown().optional(),
});

export function orderPayload(
  order: TaskOrder & { readonly createdMs: number },
  delegator: string,
  delegatee: string,
): object {
  return {
    task_id: order.id,
    delegator_id: delegator,
    delegatee_id: delegatee,
    task_type: order.type,
    title: order.title,
    description: order.description,
    context: order.context,
    priority: order.priority.toUpperCase(),
    created_at: iso(order.createdMs),
    ...(order.deadlineMs === undefined ? {} : { deadline: iso(order.deadlineMs) }),
    ...(order.receipt === true ? { receipt: true } : {}),
  };
}

/** Throws INVALID_FORMAT, naming the field. */
export function readOrder(payload: unknown): TaskOrder {
  const read = parse(orderShape, payload);
  return {
    id: read.task_id,
    type: read.task_type ?? read.type ?? 'prompt',
    title: (read.title ?? '').slice(0, limits.taskTitleCharsMax),
    description: read.description,
    context: read.context ?? {},
    priority: read.priority ?? 'normal',
    createdMs: read.created_at ?? undefined,
    deadlineMs: read.deadline ?? undefined,
    ...(read.receipt === true ? { receipt: true as const } : {}),
  };
}

export function answerPayload(
  kind: TaskKind,
  answer: TaskAnswer & { readonly atMs: number },
  responder: string,
): object {
  return {
    task_id: answer.id,
    // The same answer said twice has the same id.
    response_id: `${answer.id}.${kind.slice('task_'.length)}`,
    responder_id: responder,
    response_type: kind.slice('task_'.length),
    status: answer.status,
    message: answer.message ?? '',
    ...(answer.code === undefined ? {} : { error_code: answer.code }),
    ...(answer.percent === undefined ? {} : { progress_percent: answer.percent }),
    ...(answer.result === undefined ? {} : { result: answer.result }),
    timestamp: iso(answer.atMs),
  };
}

/** Throws INVALID_FORMAT, also for a status that this kind does not bring. */
export function readAnswer(kind: TaskKind, payload: unknown): TaskAnswer {
  const read = parse(answerShape, payload);
  const statuses = statusesOf[kind] ?? [];
  const status = read.status ?? statuses[0];
  if (status === undefined || !statuses.includes(status))
    throw new PeerAiError('INVALID_FORMAT', `a ${kind} with the status ${status}`);
  const message = read.message || read.reason;
  return {
    id: read.task_id,
    status,
    ...(message ? { message } : {}),
    ...(read.error_code ? { code: read.error_code } : {}),
    ...(read.progress_percent === null || read.progress_percent === undefined
      ? {}
      : { percent: read.progress_percent }),
    ...(read.result === undefined ? {} : { result: read.result }),
  };
}

/** Throws INVALID_FORMAT. */
export function readCancel(payload: unknown): { readonly id: string; readonly reason: string | undefined } {
  const { task_id: id, reason: why } = parse(cancelShape, payload);
  return { id, reason: why ?? undefined };
}

const statusesOf: Partial<Record<TaskKind, readonly TaskStatus[]>> = {
  task_accept: ['assigned'],
  task_reject: ['rejected'],
  task_progress: ['in_progress'],
  task_complete: ['completed'],
  task_fail: ['failed', 'cancelled', 'timeout'],
};

function parse<T>(shape: z.ZodType<T>, payload: unknown): T {
  const { success, data, error } = shape.safeParse(payload);
  if (success) return data;
  const [issue] = error.issues;
  throw new PeerAiError(
    'INVALID_FORMAT',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not what was expected'}`,
  );
}

/** Times that no calendar holds are cut to the last one it does. */
const iso = (ms: number): string => new Date(Math.max(0, Math.min(ms, 8.64e15))).toISOString();
