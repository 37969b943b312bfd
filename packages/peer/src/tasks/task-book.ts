import { type Change, PeerAiError, type PeerId, type Store, utf8 } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { type Records, records } from '../store/records.ts';
import type { TaskKind } from './task-letters.ts';
import type { TaskPriority, TaskStatus, TaskView } from './tasks.schema.ts';

export type Direction = TaskView['direction'];
/** All of a task but its contents, as kept on disk and in memory. */
export interface TaskHead {
  readonly id: string;
  readonly direction: Direction;
  readonly peer: PeerId;
  readonly type: string;
  readonly title: string;
  readonly priority: TaskPriority;
  readonly status: TaskStatus;
  readonly createdMs: number;
  readonly deadlineMs?: number;
  /** When it came to this disk. */
  readonly queuedMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly percent?: number;
  readonly message?: string;
  readonly code?: string;
  readonly cancelling?: true;
  readonly attempts: number;
  /** Bytes of its contents. */
  readonly bytes: number;
  /** Its giver signs a receipt for what a model does for it. */
  readonly receipt?: true;
  /** Messages about it that the messenger does not have yet. */
  readonly owed?: readonly TaskKind[];
  /** The message that gave it, until that is through. */
  readonly letterId?: string;
}
export interface TaskBody {
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>>;
}
/** What was said about a task, on disk before anything is done about it. */
export interface TrayLetter {
  readonly kind: TaskKind;
  readonly sender: PeerId;
  readonly payload: unknown;
}

const finals: readonly TaskStatus[] = ['completed', 'failed', 'cancelled', 'timeout', 'rejected'];
export const isOver = ({ status }: Pick<TaskHead, 'status'>): boolean => finals.includes(status);
const keyOf = ({ direction, peer, id }: Pick<TaskHead, 'direction' | 'peer' | 'id'>): string =>
  `${direction}/${peer}/${id}`;
/** What people call a task here: others choose their ids, so theirs carry the end of their peer id. */
export const handleOf = ({ direction, peer, id }: TaskHead): string =>
  direction === 'given' ? id : `${id}.${peer.slice(-8)}`;

/** Every task on disk, the heads in memory too. One writer: its changes come one after the other. */
export interface TaskBook {
  get(direction: Direction, peer: PeerId, id: string): TaskHead | undefined;
  /** By handle or its unique beginning of six characters or more. Throws TASK_UNKNOWN. */
  find(text: string): TaskHead;
  /** Oldest first. */
  list(): readonly TaskHead[];
  body(head: TaskHead): Promise<TaskBody | undefined>;
  result(head: TaskHead): Promise<unknown>;
  /** Writes a head with what goes with it, then remembers it; makes room by forgetting the oldest that are over. */
  save(
    head: TaskHead,
    more?: { readonly body?: TaskBody; readonly result?: unknown; readonly alongside?: readonly Change[] },
  ): Promise<void>;
  /** Memory alone: how far it is. */
  note(head: TaskHead): void;
  readonly tray: Records<TrayLetter>;
  readonly room: Store;
}

export async function openTaskBook(store: Store): Promise<TaskBook> {
  const room = store.room('tasks');
  const heads = records<TaskHead>(room, 'head');
  const bodies = records<TaskBody>(room, 'body');
  const results = records<{ readonly result: unknown }>(room, 'result');
  const known = new Map<string, TaskHead>();
  const loaded: TaskHead[] = [];
  for await (const [, head] of heads.all()) loaded.push(head);
  for (const head of loaded.toSorted((a, b) => a.queuedMs - b.queuedMs)) known.set(keyOf(head), head);
  return {
    room,
    tray: records<TrayLetter>(room, 'tray'),
    get: (direction, peer, id) => known.get(keyOf({ direction, peer, id })),
    find: (text) => find([...known.values()], text),
    list: () => [...known.values()],
    body: (head) => bodies.get(keyOf(head)),
    result: async (head) => (await results.get(keyOf(head)))?.result,
    async save(head, { body, result, alongside = [] } = {}) {
      const key = keyOf(head);
      const { stripped, forgotten } = surplus([...known.values()], head);
      await room.commit([
        heads.put(key, head),
        ...(body === undefined ? [] : [bodies.put(key, body)]),
        ...(result === undefined ? [] : [results.put(key, { result })]),
        ...stripped.flatMap((old) => [
          heads.put(keyOf(old), { ...old, bytes: 0 }),
          bodies.remove(keyOf(old)),
          results.remove(keyOf(old)),
        ]),
        ...forgotten.flatMap((old) => [heads, bodies, results].map((rows) => rows.remove(keyOf(old)))),
        ...alongside,
      ]);
      for (const old of stripped) known.set(keyOf(old), { ...old, bytes: 0 });
      for (const old of forgotten) known.delete(keyOf(old));
      known.set(key, head);
    },
    note: (head) => void known.set(keyOf(head), head),
  };
}

/** Tasks whose contents go, and tasks that go whole, before one more is kept: those that were over first. */
function surplus(
  all: readonly TaskHead[],
  head: TaskHead,
): { readonly stripped: readonly TaskHead[]; readonly forgotten: readonly TaskHead[] } {
  const key = keyOf(head);
  const others = all.filter((one) => keyOf(one) !== key);
  const forgotten = oldest(others.filter(isOver), others.length + 1 - limits.tasksKeptMax);
  const full = others.filter((one) => one.bytes > 0 && isOver(one) && !forgotten.includes(one));
  return { forgotten, stripped: oldest(full, full.length + 1 - limits.taskBodiesKeptMax) };
}
function oldest(over: readonly TaskHead[], count: number): readonly TaskHead[] {
  return count <= 0 ? [] : over.toSorted((a, b) => endOf(a) - endOf(b)).slice(0, count);
}
const endOf = ({ endedMs, queuedMs }: TaskHead): number => endedMs ?? queuedMs;

function find(all: readonly TaskHead[], text: string): TaskHead {
  const exact = all.filter((head) => handleOf(head) === text);
  const found = exact.length > 0 || text.length < 6 ? exact : all.filter((head) => handleOf(head).startsWith(text));
  const [head] = found;
  if (head !== undefined && found.length === 1) return head;
  throw new PeerAiError(
    'TASK_UNKNOWN',
    head === undefined ? `there is no task ${text.slice(0, 80)} here` : `${found.length} tasks begin with ${text}`,
  );
}

/** UTF-8 bytes of the JSON. */
export const jsonBytes = (value: unknown): number => utf8(JSON.stringify(value) ?? '').length;
