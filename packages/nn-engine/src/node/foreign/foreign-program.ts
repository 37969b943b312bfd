import { type LoadOptions, PeerAiError, type Program, type Tensor, type Tensors } from '@peerai/core-protocol';

import { abortedError, throwIfAborted, unlessAborted } from '../../abort.ts';
import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { loadId } from '../../program/messages.ts';
import type { Cancel, ChildAnswer, ChildQuestion, ChildReply, ChildStart } from './child-messages.ts';
import { type Confined, startConfined } from './confine.ts';

type Ask = ChildQuestion extends infer One ? (One extends { readonly id: number } ? Omit<One, 'id'> : never) : never;

/** Starts the process with its model. Throws what loading throws; then nothing is left of it. */
export async function started(start: ChildStart, { signal, runMsMax }: LoadOptions): Promise<ForeignProgram> {
  const program = new ForeignProgram(await startConfined(start.memoryBytesMax), runMsMax);
  try {
    await program.start(start, signal);
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** Throws INVALID_OPTION. */
export function startOf(graph: Uint8Array, options: LoadOptions): ChildStart {
  const { carry = {}, threads = 1, memoryBytesMax = limits.foreignMemoryBytes, runMsMax = 1 } = options;
  const wrong = (text: string): PeerAiError<NnErrorCode> => new PeerAiError<NnErrorCode>('INVALID_OPTION', text);
  if (!Number.isInteger(threads) || threads < 1 || threads > limits.threadsMax)
    throw wrong(`threads must be 1 to ${limits.threadsMax}.`);
  if (!Number.isSafeInteger(memoryBytesMax) || memoryBytesMax < limits.foreignMemoryBytesMin)
    throw wrong(`memoryBytesMax must be at least ${limits.foreignMemoryBytesMin}.`);
  if (!(runMsMax > 0)) throw wrong('runMsMax must be above 0.');
  const { foreignTensorBytesMax: answerBytesMax, foreignLookMs: lookMs } = limits;
  return { graph, carry, threads, memoryBytesMax, answerBytesMax, lookMs };
}

/** What lies beside a model that takes texts. Throws MODEL_TOO_LARGE. */
export function checkFiles(files: Uint8Array): void {
  if (files.length <= limits.foreignTokenizerBytesMax) return;
  const message = `The tokenizer and what lies beside it have ${files.length} bytes; ${limits.foreignTokenizerBytesMax} are allowed.`;
  throw new PeerAiError<NnErrorCode>('MODEL_TOO_LARGE', message);
}

const hints: Partial<Record<NnErrorCode, string>> = {
  MODEL_MEMORY_EXCEEDED: 'A smaller model, or smaller inputs, need less.',
  RUN_LIMIT: 'A smaller model, or smaller inputs, take less time.',
};

interface Terms {
  readonly signal: AbortSignal;
  readonly msMax: number;
  readonly what: string;
  readonly hearing?: Hearing | undefined;
}

/** For a question whose answer comes in pieces, and that can be given up without the end of the process. */
export interface Hearing {
  readonly heard: (text: string) => void;
  /** The whole answer, milliseconds, `foreignAnswerMs` unless said; `runMsMax` is the time from one piece to the next. */
  readonly answerMsMax?: number | undefined;
  /** How long the child may take to give it up, milliseconds, `foreignCancelMs` unless said: after that it is ended. */
  readonly cancelMsMax?: number | undefined;
}

/** A started process, asked one question after the other. */
export class ForeignProgram implements Program {
  readonly #confined: Confined;
  readonly #runMsMax: number;
  #answer: PromiseWithResolvers<ChildAnswer> | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #nextId: number = loadId;
  #closed: PeerAiError<NnErrorCode> | undefined;
  #hear: ((text: string) => void) | undefined;
  /** Of a language model, once it is started. */
  facts: ChildAnswer['facts'];

  constructor(confined: Confined, runMsMax: number = limits.foreignRunMs) {
    this.#confined = confined;
    this.#runMsMax = runMsMax;
    confined.child.on('message', (reply) => this.#receive(reply as ChildReply));
    void confined.ended.then((how) =>
      this.#close('MODEL_REFUSED', `The process that ran the model ended by itself (${how}).`),
    );
    this.#idle();
  }

  async start(start: ChildStart, signal: AbortSignal): Promise<void> {
    const { facts } = await this.#ask(start, { signal, msMax: limits.loadMsMax, what: 'Loading the model' });
    this.facts = facts;
  }

  async run(feeds: Tensors, signal: AbortSignal): Promise<Tensors> {
    const bytes = Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes > limits.foreignTensorBytesMax) {
      const message = `The inputs have ${bytes} bytes; ${limits.foreignTensorBytesMax} are allowed.`;
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
    }
    return (await this.ask({ kind: 'run', feeds }, signal)).tensors ?? {};
  }

  async read(input: string): Promise<Tensor> {
    const { tensor } = await this.ask({ kind: 'read', input });
    if (tensor === undefined) throw new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', `"${input}" was not given.`);
    return tensor;
  }

  async write(input: string, value: Tensor): Promise<void> {
    await this.ask({ kind: 'write', input, value });
  }

  /** Resolves when the process is gone and its folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close('PROGRAM_CLOSED', 'The program was disposed.');
    this.#confined.child.ref();
    await this.#confined.ended;
  }

  /** One after the other; who is aborted while waiting leaves at once, and harms nobody. */
  async ask(ask: Ask, signal: AbortSignal = new AbortController().signal, hearing?: Hearing): Promise<ChildAnswer> {
    if (this.#waiting >= limits.programQueueMax) {
      const message = `${limits.programQueueMax} runs of this program wait already.`;
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
    }
    this.#waiting += 1;
    const before = this.#before;
    const turn = Promise.withResolvers<void>();
    this.#before = before.then(() => turn.promise);
    try {
      await unlessAborted(before, signal);
      const question = { ...ask, id: this.#nextId };
      return await this.#ask(question, { signal, msMax: this.#runMsMax, what: 'The run', hearing });
    } finally {
      this.#waiting -= 1;
      turn.resolve();
    }
  }

  async #ask(message: ChildStart | ChildQuestion, { signal, msMax, what, hearing }: Terms): Promise<ChildAnswer> {
    if (this.#closed !== undefined) throw this.#closed;
    throwIfAborted(signal);
    const { child } = this.#confined;
    const answer = Promise.withResolvers<ChildAnswer>();
    this.#answer = answer;
    const limit = (ms: number, text: string) =>
      setTimeout(() => this.#close('RUN_LIMIT', `${text} ${ms} ms; the program is over.`), ms);
    const overdue = limit(msMax, `${what} took longer than`);
    const whole = hearing && limit(hearing.answerMsMax ?? limits.foreignAnswerMs, 'The answer took longer than');
    let leaving: NodeJS.Timeout | undefined;
    const leave = (): void => {
      if (hearing === undefined) answer.reject(abortedError(signal));
      else child.send({ kind: 'cancel', id: this.#nextId } satisfies Cancel, () => undefined);
      const end = (): void =>
        this.#close('PROGRAM_CLOSED', 'A run of this program was aborted, and its process ended with it.');
      if (hearing === undefined) end();
      else leaving = setTimeout(end, hearing.cancelMsMax ?? limits.foreignCancelMs);
    };
    this.#hear = (text) => {
      overdue.refresh();
      if (!signal.aborted) hearing?.heard(text);
    };
    signal.addEventListener('abort', leave, { once: true });
    child.ref();
    child.channel?.ref();
    try {
      // A child that is gone says so by its end.
      child.send(message, () => undefined);
      return await answer.promise;
    } finally {
      for (const timer of [overdue, whole, leaving]) clearTimeout(timer);
      this.#hear = undefined;
      signal.removeEventListener('abort', leave);
      this.#idle();
    }
  }

  #receive(reply: ChildReply): void {
    if ('memoryBytes' in reply) return this.#tooMuchMemory(`it has ${reply.memoryBytes} bytes`);
    if (reply.id !== this.#nextId) return;
    if ('text' in reply) return this.#hear?.(reply.text);
    this.#nextId += 1;
    if (!('code' in reply)) return this.#answer?.resolve(reply);
    const { code, message, details } = reply;
    if (/bad_alloc|failed to allocate|out of memory/iu.test(message)) {
      const asked = /buffer of size (\d+)/u.exec(message)?.[1];
      return this.#tooMuchMemory(asked === undefined ? 'it got no more' : `it asked for ${asked} bytes at once`);
    }
    this.#answer?.reject(new PeerAiError<NnErrorCode>(code, message, details));
  }

  #tooMuchMemory(why: string): void {
    this.#close('MODEL_MEMORY_EXCEEDED', `The model takes more memory than it was given: ${why}.`);
  }

  /** Ends the process; whoever waits gets the first reason. */
  #close(code: NnErrorCode, message: string): void {
    this.#closed ??= new PeerAiError<NnErrorCode>(code, message, code in hints ? { hint: hints[code] } : {});
    this.#answer?.reject(this.#closed);
    this.#confined.child.kill('SIGKILL');
  }

  /** A program that nobody asks anything keeps no process alive. */
  #idle(): void {
    this.#confined.child.unref();
    this.#confined.child.channel?.unref();
  }
}
