import {
  type LoadOptions,
  PeerAiError,
  type Program,
  type Runtime,
  type Tensor,
  type Tensors,
} from '@peerai/core-protocol';

import { abortedError, throwIfAborted, unlessAborted } from '../../abort.ts';
import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { loadId } from '../../program/messages.ts';
import type { ChildQuestion, ChildReply, ChildStart } from './child-messages.ts';
import { type Confined, startConfined } from './confine.ts';
import { type OnnxSummary, readOnnxSummary } from './onnx-summary.ts';

type Answer = Extract<ChildReply, { readonly tensors?: Tensors }>;
type Ask = ChildQuestion extends infer One ? (One extends { readonly id: number } ? Omit<One, 'id'> : never) : never;

/**
 * ONNX Runtime for files of the user's: each program is a process of its own (see `confine.ts`), looked at before it starts (`readOnnxSummary`).
 *
 * `memoryBytesMax` is the resident memory of the whole process, 2 GiB unless said; `runMsMax` the time of one run, a minute unless said; loading has a
 * minute too. Over a limit, or aborted while it runs, the process is killed, its folder removed, and the program is over. It guards against a model that
 * takes too much, not against one that finds a fault in ONNX Runtime to run code of its own.
 *
 * `load` throws what `readOnnxSummary` throws, MODEL_REFUSED, MODEL_MEMORY_EXCEEDED, RUN_LIMIT, ENGINE_MISSING, INVALID_OPTION.
 */
export function createForeignRuntime(): Runtime {
  return {
    async load(graph, options) {
      throwIfAborted(options.signal);
      readOnnxSummary(graph);
      return await started(startOf(graph, options), options);
    },
  };
}

/** A model that turns texts into vectors. */
export interface ForeignEmbedder extends AsyncDisposable {
  /** One float32 row a text, L2 norm 1. Throws MODEL_REFUSED, LIMIT_REACHED, RUN_LIMIT, MODEL_MEMORY_EXCEEDED, PROGRAM_CLOSED, ABORTED. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/** The inputs of an embedding model, and its output. Throws MODEL_REFUSED for a model that is none. */
function embeddingShape({ inputs, outputs }: OnnxSummary) {
  const names = inputs.map(({ name }) => name);
  const [output] = outputs;
  const takes =
    inputs.every(({ name, type }) => type === 'int64' && tokenInputs.has(name)) && names.includes('input_ids');
  if (takes && output?.type === 'float32' && (output.shape.length === 2 || output.shape.length === 3))
    return { inputs: names, output: output.name };
  throw new PeerAiError<NnErrorCode>(
    'MODEL_REFUSED',
    'An embedding model takes input_ids (and attention_mask, token_type_ids) as int64 and gives one vector of float32 a text or a token first.',
    { hint: 'Import it without a tokenizer to use its tensors as they are.' },
  );
}
const tokenInputs = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

/**
 * A sentence embedding model of the user's with its `tokenizer.json`, in a process as `createForeignRuntime` starts it: the tokenizer runs there too.
 * Vectors are the model's own where it gives one a text, else the mean over a text's tokens; longer texts are cut.
 *
 * Throws what `createForeignRuntime().load` throws, and MODEL_INVALID for what is no tokenizer.
 */
export async function loadForeignEmbedder(
  graph: Uint8Array,
  tokenizer: Uint8Array,
  options: LoadOptions,
): Promise<ForeignEmbedder> {
  throwIfAborted(options.signal);
  const { inputs, output } = embeddingShape(readOnnxSummary(graph));
  if (tokenizer.length > limits.foreignTokenizerBytesMax) {
    const message = `The tokenizer has ${tokenizer.length} bytes; ${limits.foreignTokenizerBytesMax} are allowed.`;
    throw new PeerAiError<NnErrorCode>('MODEL_TOO_LARGE', message);
  }
  const texts = { tokenizer, inputs, output, tokensMax: limits.foreignTokensMax };
  return await started({ ...startOf(graph, options), texts }, options);
}

async function started(start: ChildStart, { signal, runMsMax }: LoadOptions): Promise<ForeignProgram> {
  const program = new ForeignProgram(await startConfined(start.memoryBytesMax), runMsMax);
  try {
    await program.start(start, signal);
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

function startOf(graph: Uint8Array, options: LoadOptions): ChildStart {
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

const hints: Partial<Record<NnErrorCode, string>> = {
  MODEL_MEMORY_EXCEEDED: 'A smaller model, or smaller inputs, need less.',
  RUN_LIMIT: 'A smaller model, or smaller inputs, take less time.',
};

const none: Tensor = { type: 'float32', shape: [0, 0], data: new Float32Array() };

class ForeignProgram implements Program {
  readonly #confined: Confined;
  readonly #runMsMax: number;
  #answer: PromiseWithResolvers<Answer> | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #nextId: number = loadId;
  #closed: PeerAiError<NnErrorCode> | undefined;

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
    await this.#ask(start, { signal, msMax: limits.loadMsMax, what: 'Loading the model' });
  }

  async run(feeds: Tensors, signal: AbortSignal): Promise<Tensors> {
    const bytes = Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes > limits.foreignTensorBytesMax) {
      const message = `The inputs have ${bytes} bytes; ${limits.foreignTensorBytesMax} are allowed.`;
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
    }
    return (await this.#inOrder({ kind: 'run', feeds }, signal)).tensors ?? {};
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    if (texts.length === 0) return [];
    if (texts.length > limits.embedTextsMax || texts.some((text) => text.length > limits.embedCharsMax)) {
      const message = `At most ${limits.embedTextsMax} texts of ${limits.embedCharsMax} characters at once.`;
      throw new PeerAiError<NnErrorCode>('LIMIT_REACHED', message);
    }
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += limits.foreignTextsAtOnce) {
      const some = texts.slice(at, at + limits.foreignTextsAtOnce);
      const { shape, data } =
        (await this.#inOrder({ kind: 'embed', texts: some }, signal)).tensors?.['vectors'] ?? none;
      const width = shape[1] ?? 0;
      for (let row = 0; row < some.length; row += 1)
        vectors.push(Float32Array.from(data as Float32Array).slice(row * width, (row + 1) * width));
    }
    return vectors;
  }

  async read(input: string): Promise<Tensor> {
    const { tensor } = await this.#inOrder({ kind: 'read', input });
    if (tensor === undefined) throw new PeerAiError<NnErrorCode>('PROGRAM_CLOSED', `"${input}" was not given.`);
    return tensor;
  }

  async write(input: string, value: Tensor): Promise<void> {
    await this.#inOrder({ kind: 'write', input, value });
  }

  /** Resolves when the process is gone and its folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close('PROGRAM_CLOSED', 'The program was disposed.');
    this.#confined.child.ref();
    await this.#confined.ended;
  }

  /** One after the other; who is aborted while waiting leaves at once, and harms nobody. */
  async #inOrder(ask: Ask, signal: AbortSignal = new AbortController().signal): Promise<Answer> {
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
      return await this.#ask({ ...ask, id: this.#nextId }, { signal, msMax: this.#runMsMax, what: 'The run' });
    } finally {
      this.#waiting -= 1;
      turn.resolve();
    }
  }

  async #ask(
    message: ChildStart | ChildQuestion,
    { signal, msMax, what }: { readonly signal: AbortSignal; readonly msMax: number; readonly what: string },
  ): Promise<Answer> {
    if (this.#closed !== undefined) throw this.#closed;
    throwIfAborted(signal);
    const { child } = this.#confined;
    const answer = Promise.withResolvers<Answer>();
    this.#answer = answer;
    const leave = (): void => {
      answer.reject(abortedError(signal));
      this.#close('PROGRAM_CLOSED', 'A run of this program was aborted, and its process ended with it.');
    };
    const overdue = setTimeout(() => {
      this.#close('RUN_LIMIT', `${what} took longer than ${msMax} ms; the program is over.`);
    }, msMax);
    signal.addEventListener('abort', leave, { once: true });
    child.ref();
    child.channel?.ref();
    try {
      // A child that is gone says so by its end.
      child.send(message, () => undefined);
      return await answer.promise;
    } finally {
      clearTimeout(overdue);
      signal.removeEventListener('abort', leave);
      this.#idle();
    }
  }

  #receive(reply: ChildReply): void {
    if ('memoryBytes' in reply) return this.#tooMuchMemory(`it has ${reply.memoryBytes} bytes`);
    if (reply.id !== this.#nextId) return;
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
