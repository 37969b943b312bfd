import { Worker } from 'node:worker_threads';

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
import { loadId, type Question, type Reply, type WorkerStart } from './messages.ts';

const [running, aborted] = [0, 2];
type Ask = Question extends infer One ? (One extends { readonly id: number } ? Omit<One, 'id'> : never) : never;

/**
 * ONNX Runtime (the optional peer `onnxruntime-node`), one worker thread a program, so that the event loop stays free.
 *
 * One thread unless asked otherwise, and threads do not spin. Carried inputs start as zeros, their open sizes as 0. An aborted run leaves carried
 * state as it was. `memoryBytesMax` is refused: a thread cannot be held to it, so foreign graphs do not belong here.
 */
export function createNodeRuntime(): Runtime {
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
      const threads = options.threads ?? 1;
      if (!Number.isInteger(threads) || threads < 1 || threads > limits.threadsMax) {
        throw refused(`threads must be 1 to ${limits.threadsMax}.`, { threads });
      }
      const program = new WorkerProgram(graph, threads, options);
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
  readonly #worker: Worker;
  readonly #decision = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, PromiseWithResolvers<Reply>>();
  readonly #runMsMax: number | undefined;
  #before: Promise<unknown> = Promise.resolve();
  /** Settles when the worker has answered what it was asked last, also when the asker left. */
  #answered: Promise<unknown> = Promise.resolve();
  readonly #ended = Promise.withResolvers<void>();
  #waiting = 0;
  #nextId = loadId + 1;
  #closed: PeerAiError<NnErrorCode> | undefined;

  constructor(graph: Uint8Array, threads: number, options: LoadOptions) {
    const start: WorkerStart = {
      graph,
      threads,
      carry: options.carry ?? {},
      decision: this.#decision.buffer,
    };
    this.#runMsMax = options.runMsMax;
    // The same file name as ours: .ts from source (Node strips the types), .js from dist.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData: start });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#receive(reply));
    this.#worker.on('error', (cause) => this.#close(closed('The worker of this program failed.', cause)));
    this.#worker.on('exit', () => {
      this.#ended.resolve();
      this.#close(closed('The worker of this program ended.'));
    });
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#wait(loadId, AbortSignal.any([signal, AbortSignal.timeout(limits.loadMsMax)]), 'leave');
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
    this.#close(closed('The program was disposed.'));
    this.#worker.ref();
    await this.#ended.promise;
  }

  async #run(feeds: Tensors, signal: AbortSignal): Promise<Reply> {
    Atomics.store(this.#decision, 0, running);
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

  async #ask(question: Ask, signal?: AbortSignal): Promise<Reply> {
    if (this.#closed !== undefined) throw this.#closed;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#post({ ...question, id });
    return await this.#wait(id, signal, 'decide');
  }

  /** @param onAbort - `decide`: the caller leaves only if the run has not been counted yet. */
  async #wait(id: number, signal: AbortSignal | undefined, onAbort: 'decide' | 'leave'): Promise<Reply> {
    const pending = Promise.withResolvers<Reply>();
    this.#pending.set(id, pending);
    this.#answered = pending.promise.catch(() => undefined);
    this.#worker.ref();
    const left = Promise.withResolvers<never>();
    const leave = (): void => {
      const first = onAbort === 'leave' || Atomics.compareExchange(this.#decision, 0, running, aborted) === running;
      if (first) left.reject(abortedError(signal));
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

  #post(question: Question): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    this.#worker.postMessage(question);
  }

  #receive(reply: Reply): void {
    this.#pending.get(reply.id)?.resolve(reply);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
  }

  /** The worker ends itself when its native call is over: terminating it inside one aborts the whole process (Napi::Error, seen). */
  #close(reason: PeerAiError<NnErrorCode>): void {
    if (this.#closed === undefined) this.#post({ kind: 'close' });
    this.#closed ??= reason;
    for (const pending of this.#pending.values()) pending.reject(this.#closed);
    this.#pending.clear();
  }
}

function closed(message: string, cause?: unknown): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', message, {}, { cause });
}

function refused(message: string, details: Readonly<Record<string, unknown>>): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('MODEL_REFUSED', message, details);
}
