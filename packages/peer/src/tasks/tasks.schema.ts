import { z } from 'zod';
import { limits } from '../limits.ts';

/** Low first. One that waits rises by one for each `taskAgeingMs`. */
export const taskPrioritySchema = z.enum(['low', 'normal', 'high', 'critical', 'emergency']);
/** The protocol's own words: `pending` nobody has answered yet, `assigned` accepted and in line. The last five are final. */
export const taskStatusSchema = z.enum([
  'pending',
  'assigned',
  'in_progress',
  'completed',
  'failed',
  'cancelled',
  'timeout',
  'rejected',
]);

export const taskSchema = z.object({
  /** What the commands and routes here call it: the protocol's id, for a task of somebody else with the end of its peer id. */
  id: z.string(),
  direction: z.enum(['given', 'taken']),
  peerId: z.string(),
  peerName: z.string(),
  type: z.string(),
  title: z.string(),
  priority: taskPrioritySchema,
  status: taskStatusSchema,
  createdMs: z.number(),
  deadlineMs: z.number().nullable(),
  startedMs: z.number().nullable(),
  endedMs: z.number().nullable(),
  /** 0 to 100, as its handler says. */
  percent: z.number().nullable(),
  /** What the other side, or the handler here, says of it. */
  message: z.string().nullable(),
  /** Why it was rejected or failed. */
  code: z.string().nullable(),
  /** Somebody asked to stop it, and the answer is not there yet. */
  cancelling: z.boolean(),
  /** How often it was begun. */
  attempts: z.number(),
});
export const taskDetailSchema = taskSchema.extend({
  v: z.literal(1),
  description: z.string().nullable(),
  context: z.unknown(),
  /** What the handler gave back, JSON; null until it is there. */
  result: z.unknown(),
});
export const tasksSchema = z.object({ v: z.literal(1), tasks: z.array(taskSchema), types: z.array(z.string()) });

export const taskRequestSchema = z
  .object({
    to: z.string().min(1).max(128),
    type: z
      .string()
      .regex(/^[a-z][a-z0-9_-]*$/, 'a type is small letters, digits, - and _')
      .max(limits.taskTypeCharsMax)
      .default('prompt'),
    title: z.string().max(limits.taskTitleCharsMax).optional(),
    description: z.string().min(1).max(limits.taskBytesMax),
    context: z.record(z.string(), z.unknown()).optional(),
    priority: taskPrioritySchema.default('normal'),
    /** From now, milliseconds. */
    deadlineInMs: z.number().int().min(1_000).max(limits.taskLifeMsMax).optional(),
  })
  .strict();
export const taskCancelSchema = z.object({ reason: z.string().max(limits.taskReasonCharsMax).optional() }).strict();

export type TaskPriority = z.infer<typeof taskPrioritySchema>;
export type TaskStatus = z.infer<typeof taskStatusSchema>;
export type TaskView = z.infer<typeof taskSchema>;
export type TaskDetail = z.infer<typeof taskDetailSchema>;
export type TasksView = z.infer<typeof tasksSchema>;
export type TaskRequest = z.input<typeof taskRequestSchema>;
