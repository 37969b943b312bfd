import {
  type LoadOptions,
  PeerAiError,
  type Program,
  type Runtime,
  type Tensor,
  type Tensors,
} from '@peerai/core-protocol';

import { abortedError, throwIfAborted, unlessAborted } from '../abort.ts';
import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Asked, loadId, type Question, type Reply, type WorkerStart } from './messages.ts';

/** A program's end of the line to its worker. */
export interface WorkerLine {
  post(question: Question): void;
  /** Whether somebody waits for an answer. */
  waited(somebody: boolean): void;
  /** Lets the worker end, at once or when its native call is over. Resolves when it is gone; called twice it is no error. */
  end(): Promise<void>;
}
export interface WorkerEvents {
  readonly reply: (reply: Reply) => void;
  /** The worker broke, or ended. */
  readonly lost: (reason: PeerAiError<NnErrorCode>) => void;
}
export type StartWorker = (start: WorkerStart, events: WorkerEvents) => WorkerLine;

/** A runtime whose programs have a worker each. Throws MODEL_REFUSED for what the worker cannot be asked, RUN_LIMIT after `loadMsMax`, and what it answers to loading. */
export function workerRuntime(startWorker: StartWorker, threadsUnlessSaid: () => number): Runtime {
  return {
    async load(graph, options) {
      throwIfAborted(options.signal);
      if (graph.length > limits.graphBytesMax) {
        throw refused(`The graph has ${graph.length} bytes; ${limits.graphBytesMax} are allowed.`, {
          bytes: graph.length,
        });
      }
      if (options.memoryBytesMax !== undefined) {
        throw refused('This runtime runs in a thread and cannot hold a graph to memoryBytesMax.', {
          option: 'memoryBytesMax',
        });
      }
      const threads = options.threads ?? threadsUnlessSaid();
      if (!Number.isInteger(threads) || threads < 1 || threads > limits.threadsMax) {
        throw refused(`threads must be 1 to ${limits.threadsMax}.`, { threads });
      }
      const program = new WorkerProgram(startWorker, { graph, threads, carry: options.carry ?? {} }, options);
      try {
        await program.ready(options.signal);
        return program;
      } catch (error) {
        await program[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}

class WorkerProgram implements Program {
  readonly #line: WorkerLine;
  readonly #pending = new Map<number, PromiseWithResolvers<Reply>>();
  readonly #runMsMax: number | undefined;
  #before: Promise<unknown> = Promise.resolve();
  /** Settles when the worker has answered what it was asked last, also when the asker left. */
  #answered: Promise<unknown> = Promise.resolve();
  /** Whoever asked for the last run left before its answer: it does not count. */
  #withoutLast = false;
  #waiting = 0;
  #nextId = loadId + 1;
  #closed: PeerAiError<NnErrorCode> | undefined;

  constructor(startWorker: StartWorker, start: WorkerStart, { runMsMax }: LoadOptions) {
    this.#runMsMax = runMsMax;
    this.#line = startWorker(start, {
      reply: (reply) => this.#receive(reply),
      lost: (reason) => this.#close(reason),
    });
  }

  async ready(signal: AbortSignal): Promise<void> {
    const overdue = new AbortController();
    const timer = setTimeout(() => overdue.abort(), limits.loadMsMax);
    try {
      await this.#wait(loadId, AbortSignal.any([signal, overdue.signal]));
    } catch (error) {
      if (!overdue.signal.aborted || signal.aborted) throw error;
      throw new PeerAiError<NnErrorCode>('RUN_LIMIT', `Loading took longer than ${limits.loadMsMax} ms.`);
    } finally {
      clearTimeout(timer);
    }
  }

  async run(feeds: Tensors, signal: AbortSignal): Promise<Tensors> {
    if (this.#waiting >= limits.programQueueMax) {
      throw new PeerAiError<NnErrorCode>(
        'LIMIT_REACHED',
        `${limits.programQueueMax} runs of this program wait already.`,
      );
    }
    this.#waiting += 1;
    try {
      const reply = await this.#inOrder(signal, () => this.#run(feeds, signal));
      return 'tensors' in reply && reply.tensors !== undefined ? reply.tensors : {};
    } finally {
      this.#waiting -= 1;
    }
  }

  async read(input: string): Promise<Tensor> {
    const reply = await this.#inOrder(undefined, () => this.#ask({ kind: 'read', input }));
    return (reply as { readonly tensor: Tensor }).tensor;
  }

  async write(input: string, value: Tensor): Promise<void> {
    await this.#inOrder(undefined, () => this.#ask({ kind: 'write', input, value }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', 'The program was disposed.'));
    await this.#line.end();
  }

  async #run(feeds: Tensors, signal: AbortSignal): Promise<Reply> {
    if (this.#runMsMax === undefined) return await this.#ask({ kind: 'run', feeds }, signal);
    const overdue = AbortSignal.timeout(this.#runMsMax);
    try {
      return await this.#ask({ kind: 'run', feeds }, AbortSignal.any([signal, overdue]));
    } catch (error) {
      if (!overdue.aborted || signal.aborted) throw error;
      const limit = new PeerAiError<NnErrorCode>(
        'RUN_LIMIT',
        `The run took longer than ${this.#runMsMax} ms; the program is over.`,
      );
      this.#close(limit);
      throw limit;
    }
  }

  /** Runs one after the other; who is aborted while waiting leaves at once. */
  async #inOrder<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#before;
    const turn = Promise.withResolvers<void>();
    this.#before = before.then(() => turn.promise);
    try {
      await (signal === undefined ? before : unlessAborted(before, signal));
      return await work();
    } finally {
      // An aborted run still holds the worker: the next one starts when it is over.
      void this.#answered.finally(turn.resolve);
    }
  }

  async #ask(asked: Asked, signal?: AbortSignal): Promise<Reply> {
    if (this.#closed !== undefined) throw this.#closed;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#line.post({ ...asked, id, ...(this.#withoutLast && { withoutLast: true }) });
    this.#withoutLast = false;
    return await this.#wait(id, signal);
  }

  async #wait(id: number, signal: AbortSignal | undefined): Promise<Reply> {
    const pending = Promise.withResolvers<Reply>();
    this.#pending.set(id, pending);
    this.#answered = pending.promise.catch(() => undefined);
    this.#line.waited(true);
    const left = Promise.withResolvers<never>();
    const leave = (): void => {
      if (!this.#pending.has(id)) return;
      this.#withoutLast = true;
      left.reject(abortedError(signal));
    };
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted === true) leave();
    try {
      const reply = await Promise.race([pending.promise, left.promise]);
      if ('code' in reply) throw new PeerAiError<NnErrorCode>(reply.code, reply.message, reply.details);
      return reply;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#line.waited(false);
    pending?.resolve(reply);
  }

  #close(reason: PeerAiError<NnErrorCode>): void {
    const first = this.#closed === undefined;
    this.#closed ??= reason;
    for (const pending of this.#pending.values()) pending.reject(this.#closed);
    this.#pending.clear();
    if (first) void this.#line.end();
  }
}

function refused(message: string, details: Readonly<Record<string, unknown>>): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('MODEL_REFUSED', message, details);
}
