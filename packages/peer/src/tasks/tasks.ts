import { type Change, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import type { z } from 'zod';
import { limits } from '../limits.ts';
import { createMutex } from '../store/mutex.ts';
import { createDesk, type Desk, mayGive, type TasksDeps } from './desk.ts';
import { delivered, expire, give, hear, withdraw } from './given.ts';
import { createLine, type Line } from './line.ts';
import { recover, take } from './taken.ts';
import { isOver, openTaskBook, type TaskHead, type TrayLetter } from './task-book.ts';
import type { TaskHandler } from './task-handler.ts';
import { readAnswer, readCancel, readOrder, taskKinds } from './task-letters.ts';
import type { TaskDetail, taskRequestSchema, TaskView } from './tasks.schema.ts';
import { createTray } from './tray.ts';

/** Work handed from peer to peer: on disk at both ends, done once, answered by signed messages. */
export interface Tasks {
  /** Newest first. */
  list(): readonly TaskView[];
  /** Throws TASK_UNKNOWN. */
  get(id: string): Promise<TaskDetail>;
  /** Types that are done here. */
  types(): readonly string[];
  /** Durable when it resolves. Throws DEVICE_UNKNOWN, REFUSED, LIMIT_EXCEEDED, LIMIT_REACHED, what the store throws. */
  delegate(request: z.output<typeof taskRequestSchema>): Promise<TaskView>;
  /** One given away or one taken. Throws TASK_UNKNOWN, TASK_OVER. */
  cancel(id: string, reason?: string): Promise<TaskView>;
  /** Does tasks of more types from now on. Throws REFUSED when one has a handler already. */
  register(handler: TaskHandler): Disposable;
  /** The rights of a device changed: what it may not ask for any more ends. */
  review(peer: PeerId): void;
  /** To be told of each commit that the messenger made. */
  committed(changes: readonly Change[]): void;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export async function openTasks(deps: TasksDeps & { readonly store: Store }): Promise<Tasks> {
  const book = await openTaskBook(deps.store);
  const desk = createDesk(deps, book);
  const serial = createMutex();
  const quietly = (job: () => Promise<unknown>): Promise<void> =>
    serial(job).then(
      () => undefined,
      (error: unknown) =>
        deps.logger.error('task-step-failed', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' }),
    );
  const line = createLine(desk, quietly);
  const tray = createTray(desk, (letter, read) => workOff(desk, line, letter, read));
  const empty = (): Promise<void> =>
    quietly(async () => {
      await tray.empty();
      await line.advance();
    });
  let handling: Disposable[] = [];
  const changed = async (head: TaskHead): Promise<TaskView> => {
    await line.advance();
    return desk.view(head);
  };
  return {
    list: () =>
      book
        .list()
        .map((head) => desk.view(head))
        .toReversed(),
    types: () => deps.handlers.types(),
    async get(id) {
      const head = book.find(id);
      const [body, result] = await Promise.all([book.body(head), book.result(head)]);
      return {
        v: 1,
        ...desk.view(head),
        description: body?.description ?? null,
        context: body?.context ?? {},
        result: result ?? null,
      };
    },
    delegate: (request) => serial(async () => desk.view(await give(desk, request))),
    cancel: (id, reason) =>
      serial(async () => {
        const head = book.find(id);
        if (isOver(head)) throw new PeerAiError('TASK_OVER', `this task is ${head.status} already`);
        if (head.direction === 'given') return changed(await withdraw(desk, head, reason));
        return changed(await line.cancel(head, reason ?? 'stopped by the owner there'));
      }),
    register(handler) {
      return deps.handlers.register(handler);
    },
    review(peer) {
      if (mayGive(desk, peer)) return;
      void quietly(async () => {
        for (const head of book.list())
          if (head.direction === 'taken' && head.peer === peer && !isOver(head))
            await line.cancel(head, 'the right to give tasks was taken away');
      });
    },
    committed(changes) {
      if (tray.committed(changes)) void empty();
    },
    async start(signal) {
      handling = taskKinds.map((kind) => deps.messenger.handle(kind, (message) => tray.receive(kind, message)));
      handling.push(deps.messenger.deliveries((report) => void quietly(() => delivered(desk, report))));
      await serial(async () => {
        await recover(desk);
        for (const head of book.list()) {
          const report = head.letterId === undefined ? undefined : await deps.messenger.status(head.letterId);
          if (report !== undefined) await delivered(desk, report);
        }
      });
      await tray.load();
      void lookRound(desk, { quietly, empty }, signal);
    },
    async stop() {
      for (const one of handling.splice(0)) one[Symbol.dispose]();
      await line.stop();
      // What was under way is on the disk before the store closes.
      await serial(async () => undefined);
    },
  };
}

async function workOff(desk: Desk, line: Line, letter: TrayLetter, read: readonly Change[]): Promise<void> {
  const { kind, sender, payload } = letter;
  if (kind === 'task_delegate') return take(desk, sender, readOrder(payload), read);
  if (kind !== 'task_cancel') return hear(desk, sender, kind, readAnswer(kind, payload), read);
  const { id, reason } = readCancel(payload);
  const head = desk.book.get('taken', sender, id);
  if (head === undefined || isOver(head)) return desk.book.room.commit(read);
  await line.cancel(head, reason ?? 'cancelled by the peer that gave it', read);
}

/** Deadlines and debts, from time to time; and what a full disk kept from being worked off. */
async function lookRound(
  desk: Desk,
  turns: {
    readonly quietly: (job: () => Promise<unknown>) => Promise<void>;
    readonly empty: () => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await turns.quietly(() => expire(desk));
    await turns.quietly(async () => {
      for (const head of desk.book.list()) if (head.owed !== undefined) await desk.post(head);
    });
    await turns.empty();
    await desk.clock.sleep(limits.taskLookMs, signal).catch(() => undefined);
  }
}
