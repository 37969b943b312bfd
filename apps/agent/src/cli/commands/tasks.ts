import { PeerAiError } from '@peerai/core-protocol';
import type { ControlClient, TaskDetail, TaskPriority, TaskView } from '@peerai/peer/control';
import { parseDurationMs } from '@peerai/platform';
import { command, type Verb } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { table } from '../plain.ts';
import { readData, readText } from '../read-data.ts';
import { ago, until } from '../words.ts';

const which = {
  id: { type: 'positional', required: true, description: 'Id from `peerai tasks`, or its beginning' },
} as const;
const priorities = ['low', 'normal', 'high', 'critical', 'emergency'];
const statusCodes: Partial<Record<TaskView['status'], number>> = {
  failed: exitCodes.failure,
  cancelled: exitCodes.failure,
  rejected: exitCodes.refused,
  timeout: exitCodes.timeout,
};

export const delegate: Verb = {
  run: command(
    'delegate',
    'Give a device something to do; it waits on disk until the device has it',
    {
      peer: { type: 'positional', required: true, description: 'Name or peer id' },
      task: { type: 'positional', required: true, description: 'What to do; @file reads it from a file' },
      type: { type: 'string', valueHint: 'T', description: 'Kind of task: prompt, research … or what the device does' },
      model: { type: 'string', valueHint: 'M', description: 'Model of the device that shall do it' },
      title: { type: 'string', valueHint: 'T', description: 'A short name for lists' },
      priority: { type: 'string', valueHint: 'P', description: priorities.join(', ') },
      deadline: { type: 'string', valueHint: '10m', description: 'How long it may take' },
      data: { type: 'string', valueHint: 'JSON|@file', description: 'More for its handler' },
      watch: { type: 'boolean', alias: 'w', description: 'Wait for the result' },
    } as const,
    async ({ args, agent, output, signal }) => {
      if (args.priority !== undefined && !priorities.includes(args.priority))
        throw new PeerAiError('USAGE', `--priority is ${priorities.join(', ')}, not "${args.priority}"`);
      const deadlineInMs = args.deadline === undefined ? undefined : durationOf(args.deadline);
      const context = contextOf(args.data, args.model);
      const { client } = await agent();
      const task = await client.delegate({
        to: args.peer,
        type: args.type ?? 'prompt',
        description: readText(args.task),
        priority: (args.priority ?? 'normal') as TaskPriority,
        ...(args.title === undefined ? {} : { title: args.title }),
        ...(context === undefined ? {} : { context }),
        ...(deadlineInMs === undefined ? {} : { deadlineInMs }),
      });
      if (args.watch !== true)
        return output.data({ task }, () => `Given. See it: peerai tasks show ${task.id.slice(0, 8)}`);
      const done = await watch(client, task, output, signal);
      output.data({ task: done }, () => ending(done));
      process.exitCode = statusCodes[done.status] ?? exitCodes.ok;
    },
  ),
};

const ls = command('ls', 'Tasks given to devices and taken from them', {}, async ({ agent, output, signal }) => {
  const { tasks: all, types } = await (await agent()).client.tasks(signal);
  output.data({ tasks: all, types }, () => {
    if (all.length === 0) return 'None yet. Give one: peerai delegate <peer> "…"';
    const rows = all.map((task) => [
      task.id.slice(0, 8),
      `${task.direction === 'given' ? 'to' : 'from'} ${task.peerName}`,
      task.type,
      stateOf(task),
      task.deadlineMs === null || task.endedMs !== null ? ago(task.endedMs ?? task.createdMs) : until(task.deadlineMs),
      task.title.slice(0, 48),
    ]);
    return table([['ID', 'PEER', 'TYPE', 'STATE', 'WHEN', 'TASK'], ...rows]);
  });
});

const show = command('show', 'One task with its result', which, async ({ args, agent, output, signal }) => {
  const task = await (await agent()).client.task(args.id, signal);
  output.data({ task }, () => {
    const facts = [
      ['task', task.title],
      ['id', task.id],
      [task.direction === 'given' ? 'to' : 'from', task.peerName],
      ['type', `${task.type}, ${task.priority}`],
      ['state', stateOf(task)],
      ['given', ago(task.createdMs)],
      ...(task.message === null ? [] : [['says', task.message]]),
      ...(task.code === null ? [] : [['code', task.code]]),
    ];
    return `${table(facts)}${task.result === null ? '' : `\n\n${resultText(task.result)}`}`;
  });
});

const cancel = command(
  'cancel',
  'Stop a task, given or taken',
  { ...which, reason: { type: 'string', valueHint: 'TEXT', description: 'Said to the other side' } } as const,
  async ({ args, agent, output }) => {
    const task = await (await agent()).client.cancelTask(args.id, args.reason);
    output.data({ task }, () => (task.cancelling ? 'Asked the device to stop it.' : `The task is ${task.status}.`));
  },
);

export const tasks: Verb = { run: ls, subs: { ls, show, cancel } };

/** Follows a task to its end; on a terminal with a line that says how far it is. */
async function watch(client: ControlClient, task: TaskView, output: Output, signal: AbortSignal): Promise<TaskDetail> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let told = '';
  try {
    // Listens first, then looks: nothing falls in between.
    for await (const event of withFirst(client, either)) {
      const now = event === undefined ? await client.task(task.id, signal) : event;
      if (now.id !== task.id) continue;
      if (now.endedMs !== null) return await client.task(task.id, signal);
      const line = progressLine(now);
      if (line !== told) output.progress(line);
      told = line;
    }
  } finally {
    stop.abort();
    if (told !== '') output.progress('');
  }
  throw new PeerAiError(
    'CHANNEL_CLOSED',
    'the agent ended while the task was watched; it goes on when the agent is there',
  );
}

async function* withFirst(client: ControlClient, signal: AbortSignal): AsyncGenerator<TaskView | undefined> {
  const events = client.events(signal)[Symbol.asyncIterator]();
  const first = events.next();
  // Who saw enough at the first look ends this with the question still open; its failure is nobody's then.
  first.catch(() => undefined);
  yield undefined;
  for (let { done, value } = await first; done !== true; { done, value } = await events.next())
    if (value.type === 'task-changed') yield value.task;
}

const stateOf = ({ status, percent, cancelling, endedMs }: TaskView): string =>
  cancelling
    ? 'cancelling'
    : `${status.replace('_', ' ')}${percent === null || endedMs !== null ? '' : ` ${Math.round(percent)} %`}`;

function progressLine(task: TaskView): string {
  const done = Math.round((task.percent ?? 0) / 5);
  const bar = task.percent === null ? '' : ` ${'█'.repeat(done)}${'░'.repeat(20 - done)}`;
  return `${task.peerName}: ${stateOf(task)}${bar}${task.message === null ? '' : `  ${task.message}`}`;
}

const ending = (task: TaskDetail): string =>
  task.status === 'completed'
    ? resultText(task.result)
    : `${task.status}${task.code === null ? '' : ` (${task.code})`}${task.message === null ? '' : `: ${task.message}`}`;

/** An answer's text where there is one, else the JSON. */
function resultText(result: unknown): string {
  if (typeof result === 'string') return result;
  const text = typeof result === 'object' && result !== null && 'text' in result ? result.text : undefined;
  return typeof text === 'string' ? text : JSON.stringify(result, null, 2);
}

function contextOf(data: string | undefined, model: string | undefined): Record<string, unknown> | undefined {
  const given = data === undefined ? {} : readData(data);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new PeerAiError('USAGE', '--data is a JSON object, such as {"max_tokens": 64}');
  const context = { ...given, ...(model === undefined ? {} : { model }) };
  return Object.keys(context).length === 0 ? undefined : context;
}

function durationOf(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (cause) {
    throw new PeerAiError('USAGE', `--deadline: ${(cause as Error).message}`, {}, { cause });
  }
}
