/// <reference lib="esnext.float16" />
import type { Tensor as PortTensor } from '@peerai/core-protocol';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

import type { WorkerErrorCode } from './messages.ts';

/** What is used of ONNX Runtime's packages: both have the same types. */
interface OrtTensors {
  readonly Tensor: typeof Tensor;
}
type Shape = readonly (number | string)[];

export interface SessionOptions {
  /** Carried output name to input name. */
  readonly carry: Readonly<Record<string, string>>;
  /** Carried outputs are written into buffers that are there already. The web's runtime would not fill them. */
  readonly intoBuffers: boolean;
}

/** What a worker serves: a session, or what stands for one. */
export type Served = Pick<Session, 'run' | 'settle' | 'read' | 'write' | 'release'>;

/** What a worker answers instead of a result. */
export class WorkerFailure extends Error {
  readonly code: WorkerErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: WorkerErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** One ONNX Runtime session and its carried state, inside the worker that owns both. */
export class Session {
  readonly #ort: OrtTensors;
  readonly #session: InferenceSession;
  readonly #carry: SessionOptions['carry'];
  /** What was carried is written again, so it must stay. */
  readonly #reuses: boolean;
  readonly #inputs: ReadonlyMap<string, Shape>;
  /** Inputs of truth values and of float16: the port has no type for them, so they come as uint8 and float32. */
  readonly #truths: ReadonlySet<string>;
  readonly #halves: ReadonlySet<string>;
  /** Carried input name to its tensor now. */
  readonly #state = new Map<string, Tensor>();
  /** Carried output name to a buffer the next run may write: state and spare change places after each run. */
  readonly #spare = new Map<string, Tensor>();
  /** What the last run carries, until it is known whether that run counts. */
  #last: InferenceSession.ReturnType = {};

  constructor(ort: OrtTensors, session: InferenceSession, { carry, intoBuffers }: SessionOptions) {
    this.#ort = ort;
    this.#session = session;
    this.#carry = carry;
    this.#reuses = intoBuffers;
    this.#inputs = new Map(session.inputMetadata.map((value) => [value.name, value.isTensor ? value.shape : []]));
    const inputsOf = (type: string) =>
      new Set(session.inputMetadata.filter((value) => value.isTensor && value.type === type).map(({ name }) => name));
    this.#truths = inputsOf('bool');
    this.#halves = inputsOf('float16');
    for (const [output, input] of Object.entries(carry)) {
      const shape = this.#inputs.get(input);
      const source = session.outputMetadata.find((value) => value.name === output);
      if (shape === undefined || source === undefined || !source.isTensor) {
        throw new WorkerFailure(
          'MODEL_REFUSED',
          `The graph does not carry ${output} to ${input}: one of them is missing.`,
          { output, input },
        );
      }
      if (source.type !== 'float32' && source.type !== 'float16')
        throw new WorkerFailure('MODEL_REFUSED', `${output} is carried but neither float32 nor float16.`, { output });
      const sizes = shape.map((size) => (typeof size === 'number' ? size : 0));
      this.#state.set(input, this.#zeros(sizes, source.type));
      const fixed = source.shape.every((size) => typeof size === 'number');
      if (intoBuffers && fixed) this.#spare.set(output, this.#zeros(source.shape, source.type));
    }
  }

  /** Carried state moves on when the next question shows that this run counts. */
  async run(feeds: Readonly<Record<string, PortTensor>>): Promise<Record<string, PortTensor>> {
    const fetches: Record<string, Tensor | null> = {};
    for (const name of this.#session.outputNames) fetches[name] = this.#spare.get(name) ?? null;
    this.#last = await this.#session.run(this.#feeds(feeds), fetches, { logSeverityLevel: 4 });
    const given: Record<string, PortTensor> = {};
    for (const [output, tensor] of Object.entries(this.#last))
      if (this.#carry[output] === undefined) given[output] = await copyOut(tensor);
    return given;
  }

  /** Takes over what the last run carries, or leaves carried state as it was before that run. */
  settle(counts: boolean): void {
    const last = this.#last;
    this.#last = {};
    for (const [output, tensor] of Object.entries(last)) {
      const input = this.#carry[output];
      if (input === undefined) continue;
      const previous = this.#state.get(input);
      if (counts) this.#state.set(input, tensor);
      if (counts && this.#spare.has(output) && previous !== undefined) this.#spare.set(output, previous);
      this.#free(counts ? previous : tensor);
    }
  }

  async read(input: string): Promise<PortTensor> {
    return await copyOut(this.#carried(input));
  }

  write(input: string, value: PortTensor): void {
    const previous = this.#carried(input);
    this.#state.set(input, this.#copyIn(input, value));
    this.#free(previous);
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
    if (value.data instanceof Float32Array && this.#halves.has(name))
      return new this.#ort.Tensor('float16', halfBits(value.data), value.shape);
    const type = value.type === 'uint8' && this.#truths.has(name) ? 'bool' : value.type;
    return new this.#ort.Tensor(type, value.data, value.shape);
  }

  /** Memory of the graphics processor is not collected, and that of a tab late: megabytes of state a step would start collections of their own. */
  #free(tensor: Tensor | undefined): void {
    if (tensor?.location === 'gpu-buffer') tensor.dispose();
    else if (!this.#reuses && tensor?.data instanceof Float32Array) (tensor.data.buffer as ArrayBuffer).transfer(0);
  }

  #zeros(shape: readonly number[], type: 'float32' | 'float16'): Tensor {
    const zeros = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return type === 'float32'
      ? new this.#ort.Tensor(type, zeros, shape)
      : new this.#ort.Tensor(type, halfBits(zeros), shape);
  }
}

async function copyOut(tensor: Tensor): Promise<PortTensor> {
  const values = await tensor.getData();
  if (tensor.type === 'float16') {
    const bits = values as Uint16Array<ArrayBuffer>;
    const data = Float32Array.from(new Half(bits.buffer, bits.byteOffset, bits.length));
    return { type: 'float32', shape: [...tensor.dims], data };
  }
  const data = (values as Float32Array).slice();
  const type = tensor.type === 'bool' ? 'uint8' : tensor.type;
  return { type: type as PortTensor['type'], shape: [...tensor.dims], data };
}

/** Kept from before the thread of Node takes it away (`worker.ts`). */
const Half = globalThis.Float16Array;

/** The bits of float16, which ONNX Runtime's tensors are made of. */
const halfBits = (numbers: Float32Array): Uint16Array => new Uint16Array(Half.from(numbers).buffer);
