import { PeerAiError } from '@peerai/core-protocol';
import type { PeerId } from '@peerai/core-protocol';

/** A task as its handler sees it. */
export interface TaskToRun {
  readonly id: string;
  readonly peer: PeerId;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** 1 the first time; more for a repeatable one that the end of the agent interrupted. */
  readonly attempt: number;
  /** Its giver signs a receipt for what a model does. */
  readonly receipt?: true;
}
export interface TaskRun {
  /** Fires on cancel, on the deadline and when the agent stops. */
  readonly signal: AbortSignal;
  /** @param percent - 0 to 100; @param message - one line for people. */
  progress(percent: number, message?: string): void;
}
/** Does tasks of some types. */
export interface TaskHandler {
  readonly types: readonly string[];
  /** It may run again when the agent ended in the middle of it. Otherwise such a task fails with INTERRUPTED. */
  readonly repeatable: boolean;
  /** Gives back JSON. What it throws fails the task: a PeerAiError with its code and sentence, anything else as HANDLER_FAILED without a word. */
  run(task: TaskToRun, run: TaskRun): Promise<unknown>;
}

/** Who does what; the first one who takes a type keeps it, built-in ones come last. */
export interface TaskHandlers {
  find(type: string): TaskHandler | undefined;
  types(): readonly string[];
  /** Throws REFUSED when one of its types is taken. */
  register(handler: TaskHandler): Disposable;
}

export function createTaskHandlers(own: readonly TaskHandler[], builtIn: readonly TaskHandler[]): TaskHandlers {
  const handlers: TaskHandler[] = [];
  const register = (handler: TaskHandler): Disposable => {
    const taken = handler.types.find((type) => handlers.some(({ types }) => types.includes(type)));
    if (taken !== undefined) throw new PeerAiError('REFUSED', `tasks of type ${taken} have a handler already`);
    handlers.push(handler);
    return {
      [Symbol.dispose]: () => void handlers.splice(handlers.indexOf(handler), handlers.includes(handler) ? 1 : 0),
    };
  };
  for (const handler of own) register(handler);
  return {
    register,
    find: (type) => [...handlers, ...builtIn].find(({ types }) => types.includes(type)),
    types: () => [...new Set([...handlers, ...builtIn].flatMap(({ types }) => types))].toSorted(),
  };
}
