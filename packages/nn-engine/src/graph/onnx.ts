import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * The part of ONNX's ModelProto that our graphs use, as plain values, and its protobuf bytes.
 *
 * Field numbers are those of onnx.proto (IR version 8, opset 17): ModelProto {ir_version 1, producer_name 2, graph 7, opset_import 8},
 * GraphProto {node 1, name 2, initializer 5, input 11, output 12}, NodeProto {input 1, output 2, name 3, op_type 4, attribute 5},
 * AttributeProto {name 1, f 2, i 3, s 4, ints 8, type 20}, TensorProto {dims 1, data_type 2, name 8, raw_data 9}.
 */
export type ElementType = 'float32' | 'int64' | 'int32' | 'uint8' | 'bool';
/** A number of elements, or the name of a size that is only known when the graph runs. */
export type Dimension = number | string;
export type Shape = readonly Dimension[];
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}
export interface OnnxInitializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const irVersion = 8;
const opsetVersion = 17;
const elementCodes: Readonly<Record<ElementType, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };
const attributeTypes = { float: 1, integer: 2, string: 3, integers: 7 } as const;

/** The bytes of a ModelProto that ONNX Runtime loads. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, 1, irVersion);
  text(writer, 2, 'peerai');
  nested(writer, 7, (inner) => writeGraph(inner, graph));
  nested(writer, 8, (inner) => {
    text(inner, 1, '');
    integer(inner, 2, opsetVersion);
  });
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) nested(writer, 1, (inner) => writeNode(inner, node));
  text(writer, 2, 'graph');
  for (const tensor of graph.initializers) nested(writer, 5, (inner) => writeTensor(inner, tensor));
  for (const value of graph.inputs) nested(writer, 11, (inner) => writeValue(inner, value));
  for (const value of graph.outputs) nested(writer, 12, (inner) => writeValue(inner, value));
}

function writeNode(writer: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.name);
  text(writer, 4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    nested(writer, 5, (inner) => writeAttribute(inner, name, value));
  }
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  text(writer, 1, name);
  if (typeof value === 'number') {
    integer(writer, 3, value);
    integer(writer, 20, attributeTypes.integer);
  } else if (typeof value === 'string') {
    text(writer, 4, value);
    integer(writer, 20, attributeTypes.string);
  } else if ('float' in value) {
    writer.tag(2, WireType.Bit32).float(value.float);
    integer(writer, 20, attributeTypes.float);
  } else {
    for (const item of value) integer(writer, 8, item);
    integer(writer, 20, attributeTypes.integers);
  }
}

function writeTensor(writer: BinaryWriter, tensor: OnnxInitializer): void {
  for (const size of tensor.shape) integer(writer, 1, size);
  integer(writer, 2, elementCodes[tensor.type]);
  text(writer, 8, tensor.name);
  writer.tag(9, WireType.LengthDelimited).bytes(tensor.bytes);
}

function writeValue(writer: BinaryWriter, value: OnnxValue): void {
  text(writer, 1, value.name);
  nested(writer, 2, (type) =>
    nested(type, 1, (tensor) => {
      integer(tensor, 1, elementCodes[value.type]);
      nested(tensor, 2, (shape) => {
        for (const size of value.shape) {
          nested(shape, 1, (dimension) =>
            typeof size === 'number' ? integer(dimension, 1, size) : text(dimension, 2, size),
          );
        }
      });
    }),
  );
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function nested(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}
