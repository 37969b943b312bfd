/** The thread that owns one ONNX Runtime session and its carried state. Started by `runtime.ts`; plain messages in and out. */
import { parentPort, workerData } from 'node:worker_threads';

import type { Tensor as PortTensor } from '@peerai/core-protocol';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import type { Question, Reply, WorkerErrorCode, WorkerStart } from './messages.ts';

type Ort = typeof import('onnxruntime-node');
type Shape = readonly (number | string)[];

const start = workerData as WorkerStart;
const decision = new Int32Array(start.decision);
const [running, committed] = [0, 1];
const loadId = 0;

class WorkerFailure extends Error {
  readonly code: WorkerErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: WorkerErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

class Session {
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  readonly #inputs: ReadonlyMap<string, Shape>;
  /** Carried input name to its tensor now. */
  readonly #state = new Map<string, Tensor>();
  /** Carried output name to a buffer the next run may write: state and spare change places after each run. */
  readonly #spare = new Map<string, Tensor>();

  constructor(ort: Ort, session: InferenceSession) {
    this.#ort = ort;
    this.#session = session;
    this.#inputs = new Map(session.inputMetadata.map((value) => [value.name, value.isTensor ? value.shape : []]));
    for (const [output, input] of Object.entries(start.carry)) {
      const shape = this.#inputs.get(input);
      const source = session.outputMetadata.find((value) => value.name === output);
      if (shape === undefined || source === undefined || !source.isTensor) {
        throw new WorkerFailure(
          'MODEL_REFUSED',
          `The graph does not carry ${output} to ${input}: one of them is missing.`,
          { output, input },
        );
      }
      if (source.type !== 'float32')
        throw new WorkerFailure('MODEL_REFUSED', `${output} is carried but not float32.`, { output });
      const sizes = shape.map((size) => (typeof size === 'number' ? size : 0));
      this.#state.set(input, this.#zeros(sizes));
      if (source.shape.every((size) => typeof size === 'number')) this.#spare.set(output, this.#zeros(source.shape));
    }
  }

  async run(feeds: Readonly<Record<string, PortTensor>>): Promise<Record<string, PortTensor>> {
    const fetches: Record<string, Tensor | null> = {};
    for (const name of this.#session.outputNames) fetches[name] = this.#spare.get(name) ?? null;
    const results = await this.#session.run(this.#feeds(feeds), fetches, { logSeverityLevel: 4 });
    if (Atomics.compareExchange(decision, 0, running, committed) !== running) {
      throw new WorkerFailure('ABORTED', 'The run was aborted; carried state is as before it.');
    }
    return this.#settle(results);
  }

  read(input: string): PortTensor {
    return copyOut(this.#carried(input));
  }

  write(input: string, value: PortTensor): void {
    this.#carried(input);
    this.#state.set(input, this.#copyIn(input, value));
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #feeds(feeds: Readonly<Record<string, PortTensor>>): Record<string, Tensor> {
    const result: Record<string, Tensor> = Object.fromEntries(this.#state);
    for (const [name, value] of Object.entries(feeds)) {
      if (!this.#inputs.has(name) || this.#state.has(name)) {
        throw new WorkerFailure('SHAPE_MISMATCH', `The graph takes no feed "${name}".`, { node: name });
      }
      result[name] = this.#copyIn(name, value);
    }
    for (const name of this.#inputs.keys()) {
      if (result[name] === undefined)
        throw new WorkerFailure('SHAPE_MISMATCH', `The feed "${name}" is missing.`, { node: name });
    }
    return result;
  }

  #settle(results: InferenceSession.ReturnType): Record<string, PortTensor> {
    const answer: Record<string, PortTensor> = {};
    for (const [output, tensor] of Object.entries(results)) {
      const input = start.carry[output];
      if (input === undefined) {
        answer[output] = copyOut(tensor);
        continue;
      }
      const previous = this.#state.get(input);
      this.#state.set(input, tensor);
      if (this.#spare.has(output) && previous !== undefined) this.#spare.set(output, previous);
    }
    return answer;
  }

  #carried(input: string): Tensor {
    const tensor = this.#state.get(input);
    if (tensor === undefined)
      throw new WorkerFailure('SHAPE_MISMATCH', `"${input}" is not carried by this program.`, { node: input });
    return tensor;
  }

  #copyIn(name: string, value: PortTensor): Tensor {
    const expected = this.#inputs.get(name) ?? [];
    const elements = value.shape.reduce((product, size) => product * size, 1);
    const fits =
      expected.length === value.shape.length &&
      expected.every((size, axis) => typeof size !== 'number' || size === value.shape[axis]) &&
      elements === value.data.length;
    if (!fits) {
      const [left, right] = [`[${expected.join(', ')}]`, `[${value.shape.join(', ')}]`];
      throw new WorkerFailure(
        'SHAPE_MISMATCH',
        `${name}: the graph takes ${left}, not ${right} with ${value.data.length} elements.`,
        {
          node: name,
          left,
          right,
        },
      );
    }
    return new this.#ort.Tensor(value.type, value.data, value.shape);
  }

  #zeros(shape: readonly number[]): Tensor {
    return new this.#ort.Tensor('float32', new Float32Array(shape.reduce((product, size) => product * size, 1)), shape);
  }
}

function copyOut(tensor: Tensor): PortTensor {
  const data = (tensor.data as Float32Array).slice();
  const type = tensor.type === 'bool' ? 'uint8' : tensor.type;
  return { type: type as PortTensor['type'], shape: [...tensor.dims], data };
}

function failure(id: number, error: unknown, otherwise: WorkerErrorCode): Reply {
  if (error instanceof WorkerFailure) return { id, code: error.code, message: error.message, details: error.details };
  const message = error instanceof Error ? error.message : String(error);
  const node = /Name:'([^']*)'/.exec(message)?.[1];
  const code = node === undefined ? otherwise : 'SHAPE_MISMATCH';
  return { id, code, message: `ONNX Runtime: ${message}`, details: node === undefined ? {} : { node } };
}

async function load(): Promise<Session> {
  const ort = await import('onnxruntime-node').catch((cause: unknown) => {
    throw new WorkerFailure(
      'ENGINE_MISSING',
      'The package onnxruntime-node is not installed; add it to run ONNX graphs in Node.',
      {
        package: 'onnxruntime-node',
        reason: cause instanceof Error ? cause.message : String(cause),
      },
    );
  });
  const session = await ort.InferenceSession.create(start.graph, {
    intraOpNumThreads: start.threads,
    interOpNumThreads: 1,
    // Spinning threads made two threads slower than one on busy cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  return new Session(ort, session);
}

type Answerable = Exclude<Question, { readonly kind: 'close' }>;

async function answer(session: Session, question: Answerable): Promise<Reply> {
  if (question.kind === 'run') return { id: question.id, tensors: await session.run(question.feeds) };
  if (question.kind === 'read') return { id: question.id, tensor: session.read(question.input) };
  session.write(question.input, question.value);
  return { id: question.id };
}

async function receive(session: Session, question: Question): Promise<void> {
  if (question.kind === 'close') {
    await session.release();
    parentPort?.close();
    return;
  }
  try {
    reply(await answer(session, question));
  } catch (error) {
    reply(failure(question.id, error, 'MODEL_REFUSED'));
  }
}

function reply(message: Reply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage(message);
}

try {
  const session = await load();
  let before: Promise<void> = Promise.resolve();
  parentPort?.on('message', (question: Question) => {
    before = after(before, () => receive(session, question));
  });
  reply({ id: loadId });
} catch (error) {
  reply(failure(loadId, error, 'MODEL_REFUSED'));
}

async function after(before: Promise<void>, work: () => Promise<void>): Promise<void> {
  await before;
  await work();
}
