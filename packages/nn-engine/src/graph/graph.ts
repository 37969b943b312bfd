import {
  type Attributes,
  type ElementType,
  encodeModel,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
  type Shape,
} from './onnx.ts';
import { mismatch, showShape, sizeOf } from './shape.ts';

/** A tensor inside a graph. The operations of `ops/` take values and give values; shapes are checked when they are built. */
export interface Value {
  readonly graph: Graph;
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
}

/** One maker per input, called only for inputs whose gradient is wanted; absent where there is none (indices, masks). */
type GradientMakers = readonly ((() => Value) | undefined)[];

/** What reverse-mode differentiation needs to know of one operation: how each input's gradient follows from the outputs'. */
export interface TapeEntry {
  readonly operator: string;
  readonly outputs: readonly Value[];
  readonly inputs: readonly Value[];
  /** Takes one gradient per output, undefined for those that do not reach the loss. */
  readonly backward: (gradients: readonly (Value | undefined)[]) => GradientMakers;
}

/** Constants up to this many elements are shared by value; larger ones are rarely the same. */
const sharedConstantElementsMax = 64;

/**
 * Builds one ONNX graph, node by node, and remembers how to differentiate it.
 *
 * `input` and `constant` make the leaves, the functions in `ops/` the rest, `output` names the results, `toModel` gives the bytes.
 */
export class Graph {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxInitializer[] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #tape: TapeEntry[] = [];
  #names = 0;
  #taping = true;

  get tape(): readonly TapeEntry[] {
    return this.#tape;
  }

  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** Names of the operators in it, sorted, each once. */
  get operators(): readonly string[] {
    return [...new Set(this.#nodes.map(({ operator }) => operator))].toSorted();
  }

  /** A tensor the caller feeds. Sizes may be names ("past") where they change from run to run. */
  input(name: string, shape: Shape, type: ElementType = 'float32'): Value {
    this.#inputs.push({ name, shape, type });
    return { graph: this, name, shape, type };
  }

  /** A float32 tensor written into the graph; a number alone is a scalar. */
  constant(values: number | readonly number[] | Float32Array, shape?: readonly number[]): Value {
    const data = typeof values === 'number' ? Float32Array.of(values) : Float32Array.from(values);
    return this.#initializer(
      'float32',
      new Uint8Array(data.buffer),
      shape ?? (typeof values === 'number' ? [] : [data.length]),
      data,
    );
  }

  /** An int64 tensor written into the graph (axes, sizes, indices). */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#initializer('int64', new Uint8Array(data.buffer), shape, values);
  }

  /** A bool tensor written into the graph (masks). */
  booleans(values: readonly boolean[], shape: readonly number[] = [values.length]): Value {
    return this.#initializer('bool', Uint8Array.from(values, Number), shape, values.map(Number));
  }

  /** Names a value as a result of the graph. */
  output(name: string, value: Value): void {
    this.#nodes.push({
      name: `output_${name}`,
      operator: 'Identity',
      inputs: [value.name],
      outputs: [name],
      attributes: {},
    });
    this.#outputs.push({ name, type: value.type, shape: value.shape });
  }

  /** Adds one node with one result. The caller has checked the shapes. */
  emit(
    operator: string,
    inputs: readonly Value[],
    shape: Shape,
    attributes: Attributes = {},
    type: ElementType = 'float32',
  ): Value {
    return this.emitMany(operator, inputs, [shape], attributes, type)[0] as Value;
  }

  /** Adds one node with several results (Split). */
  emitMany(
    operator: string,
    inputs: readonly Value[],
    shapes: readonly Shape[],
    attributes: Attributes = {},
    type: ElementType = 'float32',
  ): readonly Value[] {
    const name = this.nextNodeName(operator);
    this.#names += 1;
    const values = shapes.map((shape, index) => ({ graph: this, name: `${name}.${index}`, shape, type }));
    this.#nodes.push({
      name,
      operator,
      inputs: inputs.map((input) => input.name),
      outputs: values.map((value) => value.name),
      attributes,
    });
    return values;
  }

  /** The name the next node of this operator gets, for messages about it. */
  nextNodeName(operator: string): string {
    return `${operator}_${this.#names}`;
  }

  /** Remembers how to differentiate an operation with several results. */
  recordMany(
    operator: string,
    outputs: readonly Value[],
    inputs: readonly Value[],
    backward: TapeEntry['backward'],
  ): void {
    if (this.#taping) this.#tape.push({ operator, outputs, inputs, backward });
  }

  /** Remembers how to differentiate `output`. */
  record(
    operator: string,
    output: Value,
    inputs: readonly Value[],
    backward: (gradient: Value) => GradientMakers,
  ): Value {
    this.recordMany(operator, [output], inputs, ([gradient]) => backward(gradient as Value));
    return output;
  }

  /** Runs `build` without remembering its parts: for an operation of several nodes that records itself as one, and for gradients. */
  untaped<T>(build: () => T): T {
    const before = this.#taping;
    this.#taping = false;
    try {
      return build();
    } finally {
      this.#taping = before;
    }
  }

  /** The ONNX bytes (opset 17, IR 8). */
  toModel(): Uint8Array {
    return encodeModel({
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #initializer(type: ElementType, bytes: Uint8Array, shape: readonly number[], values: ArrayLike<number>): Value {
    if (values.length !== sizeOf(shape))
      mismatch(`constant_${this.#names}`, [values.length], shape, 'differ in their number of elements');
    const key =
      values.length <= sharedConstantElementsMax ? `${type}${showShape(shape)}${Array.from(values).join()}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.#names}`;
    this.#names += 1;
    this.#initializers.push({ name, type, shape, bytes });
    const value: Value = { graph: this, name, shape, type };
    if (key !== undefined) this.#constants.set(key, value);
    return value;
  }
}
