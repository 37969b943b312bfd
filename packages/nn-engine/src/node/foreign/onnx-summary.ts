import { PeerAiError, type Tensor } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import type { Dimension } from '../../graph/index.ts';
import { limits } from '../../limits.ts';
import { invalid, OnnxWalk, textOf } from './onnx-walk.ts';

/** What a model takes or gives: a shape has a name or `?` where a size is open. */
export interface ForeignValue {
  readonly name: string;
  /** `bool` is given and taken as uint8 of 0 and 1, `float16` as float32. */
  readonly type: Tensor['type'] | 'bool' | 'float16';
  readonly shape: readonly Dimension[];
}
/** What is known of an ONNX file before it is run. */
export interface OnnxSummary {
  readonly irVersion: number;
  /** Who wrote the file, as it says itself. */
  readonly producer: string;
  /** Version of the operators by domain; the empty one is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  /** All nodes and stored tensors, those of nested graphs too. */
  readonly nodes: number;
  readonly initializers: number;
  /** Names of the operators, in order. */
  readonly operators: readonly string[];
  readonly inputs: readonly ForeignValue[];
  readonly outputs: readonly ForeignValue[];
}

/** TensorProto.DataType of what can be given and taken here. */
const types = new Map<unknown, ForeignValue['type']>([
  [1, 'float32'],
  [2, 'uint8'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
]);

/**
 * Reads an ONNX ModelProto far enough to show it and to refuse what may not run here. Nothing of it is executed; weights are not copied.
 *
 * Throws MODEL_TOO_LARGE, MODEL_INVALID (not ONNX, or an input or output that is no tensor of float32, float16, int64, int32, uint8 or bool),
 * MODEL_EXTERNAL_DATA (weights in another file), MODEL_REFUSED (operators that are not ONNX Runtime's own).
 */
export function readOnnxSummary(bytes: Uint8Array): OnnxSummary {
  const bytesMax = limits.foreignModelBytesMax;
  if (bytes.length > bytesMax) {
    const message = `The file has ${bytes.length} bytes; ${bytesMax} are allowed.`;
    throw new PeerAiError<NnErrorCode>('MODEL_TOO_LARGE', message, { bytes: bytes.length, bytesMax });
  }
  try {
    const walk = new OnnxWalk(bytes);
    const { irVersion, producer, opsets, nodes, initializers } = walk;
    const values = walk.graphs.flatMap((graph) => [...valuesOf(walk, graph)]);
    const inputs = values.flatMap(({ field, value }) => (field === 11 ? [value] : []));
    const outputs = values.flatMap(({ field, value }) => (field === 12 ? [value] : []));
    if (outputs.length === 0) throw invalid('The file is no ONNX model: nothing comes out of it.');
    if (values.length > limits.foreignValuesMax) {
      throw invalid(`The model has more than ${limits.foreignValuesMax} inputs and outputs.`);
    }
    const operators = [...walk.operators].toSorted();
    return { irVersion, producer, opsets, nodes, initializers, operators, inputs, outputs };
  } catch (error) {
    if (PeerAiError.is(error)) throw error;
    throw invalid('The file is no ONNX model.', error);
  }
}

/** GraphProto {input 11, output 12}, without the inputs whose value the file stores. */
function* valuesOf(walk: OnnxWalk, graph: Uint8Array) {
  for (const [field, part] of walk.fields(graph)) {
    if ((field !== 11 && field !== 12) || typeof part === 'number') continue;
    const value = valueOf(walk, part);
    if (field === 11 && walk.stored.has(value.name)) continue;
    const { name, type, shape } = value;
    if (name === '') throw invalid('An input or output of the model has no name.');
    if (type === undefined) {
      throw invalid(`"${name}" of the model is no tensor of float32, float16, int64, int32, uint8 or bool.`);
    }
    yield { field, value: { name, type, shape } };
  }
}

/** ValueInfoProto {name 1, type 2 {tensor_type 1 {elem_type 1, shape 2}}}. */
function valueOf(walk: OnnxWalk, bytes: Uint8Array) {
  let name = '';
  let type: ForeignValue['type'] | undefined;
  let shape: readonly Dimension[] = [];
  for (const [field, part] of walk.fields(bytes)) {
    if (typeof part === 'number') continue;
    if (field === 1) name = textOf(part);
    if (field !== 2) continue;
    for (const [kind, tensor] of walk.fields(part)) {
      if (kind !== 1 || typeof tensor === 'number') continue;
      for (const [inner, value] of walk.fields(tensor)) {
        if (inner === 1) type = types.get(value);
        if (inner === 2 && typeof value !== 'number') shape = shapeOf(walk, value);
      }
    }
  }
  return { name, type, shape };
}

/** TensorShapeProto {dim 1 {dim_value 1, dim_param 2}}. */
function shapeOf(walk: OnnxWalk, bytes: Uint8Array): readonly Dimension[] {
  const shape: Dimension[] = [];
  for (const [field, part] of walk.fields(bytes)) {
    if (field !== 1 || typeof part === 'number') continue;
    if (shape.length === limits.foreignRankMax) {
      throw invalid(`A shape in the model has more than ${limits.foreignRankMax} sizes.`);
    }
    let size: Dimension = '?';
    for (const [inner, value] of walk.fields(part)) {
      if (inner === 1 && typeof value === 'number') size = Number.isSafeInteger(value) && value >= 0 ? value : '?';
      if (inner === 2 && typeof value !== 'number') size = textOf(value) || '?';
    }
    shape.push(size);
  }
  return shape;
}
