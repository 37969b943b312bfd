import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** A field of a message: a number for a varint, bytes for what has a length. */
export type Field = readonly [field: number, value: number | Uint8Array];

/** Messages inside messages by field number, as in onnx.proto: whatever may hold a node or a tensor is looked through. */
const inside: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 8: 'opset', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 11: 'attribute' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
  opset: {},
};
/** Operators that ONNX Runtime brings itself: ONNX's, its classic machine learning, and its own transformers. */
const domains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
const decoder = new TextDecoder('utf-8', { fatal: true });

/** One reading of a model's bytes: counts what it meets, and throws at what may not run here. */
export class OnnxWalk {
  #fields = 0;
  nodes = 0;
  initializers = 0;
  irVersion = 0;
  producer = '';
  readonly opsets: Record<string, number> = {};
  readonly operators = new Set<string>();
  /** Names of the tensors that the outer graph stores. */
  readonly stored = new Set<string>();
  /** The outer graph; protobuf joins several into one. */
  readonly graphs: Uint8Array[] = [];

  constructor(model: Uint8Array) {
    for (const [field, value] of this.fields(model)) {
      if (field === 1 && typeof value === 'number') this.irVersion = value;
      if (field === 2 && typeof value !== 'number') this.producer = textOf(value);
      if (field === 7 && typeof value !== 'number') this.graphs.push(value);
    }
    this.#message('model', model, 0);
  }

  /** Every field of one message. Throws MODEL_TOO_LARGE, and what protobuf throws at bytes that are none. */
  *fields(bytes: Uint8Array): Generator<Field> {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      this.#fields += 1;
      if (this.#fields > limits.foreignFieldsMax) throw tooLarge('parts', limits.foreignFieldsMax);
      const [field, wire] = reader.tag();
      if (wire === WireType.LengthDelimited) yield [field, reader.bytes()];
      else if (wire === WireType.Varint) yield [field, Number(reader.int64())];
      else if (wire === WireType.StartGroup || wire === WireType.EndGroup) throw invalid('The file is no ONNX model.');
      else reader.skip(wire, field);
    }
  }

  #message(kind: string, bytes: Uint8Array, depth: number): void {
    if (depth > limits.foreignDepthMax) throw tooLarge('graphs inside each other', limits.foreignDepthMax);
    this.#meet(kind, bytes, depth);
    for (const [field, value] of this.fields(bytes)) {
      const next = inside[kind]?.[field];
      if (next === undefined) continue;
      if (typeof value === 'number') throw invalid('The file is no ONNX model.');
      this.#message(next, value, next === 'graph' ? depth + 1 : depth);
    }
  }

  #meet(kind: string, bytes: Uint8Array, depth: number): void {
    if (kind === 'node') this.#node(bytes);
    else if (kind === 'tensor') this.#tensor(bytes, depth);
    else if (kind === 'opset') this.#opset(bytes);
  }

  #node(bytes: Uint8Array): void {
    this.nodes += 1;
    if (this.nodes > limits.foreignNodesMax) throw tooLarge('nodes', limits.foreignNodesMax);
    let [operator, domain] = ['', ''];
    for (const [field, value] of this.fields(bytes)) {
      if (typeof value === 'number') continue;
      if (field === 4) operator = textOf(value);
      if (field === 7) domain = textOf(value);
    }
    if (operator === 'EPContext') throw external('it names a compiled file of its own');
    if (!domains.has(domain)) {
      const hint = 'Export the model with the standard operators only, its functions inlined.';
      throw new PeerAiError<NnErrorCode>(
        'MODEL_REFUSED',
        `The model uses the operator ${operator} of "${domain}", which ONNX Runtime does not bring itself.`,
        { operator, domain, hint },
      );
    }
    this.operators.add(operator);
  }

  /** TensorProto {name 8, external_data 13, data_location 14}. */
  #tensor(bytes: Uint8Array, depth: number): void {
    this.initializers += 1;
    if (this.initializers > limits.foreignInitializersMax) throw tooLarge('tensors', limits.foreignInitializersMax);
    for (const [field, value] of this.fields(bytes)) {
      if (field === 13 || (field === 14 && value !== 0)) throw external('its weights lie in another file');
      if (field === 8 && depth === 1 && typeof value !== 'number') this.stored.add(textOf(value));
    }
  }

  /** OperatorSetIdProto {domain 1, version 2}. */
  #opset(bytes: Uint8Array): void {
    let [domain, version] = ['', 0];
    for (const [field, value] of this.fields(bytes)) {
      if (field === 1 && typeof value !== 'number') domain = textOf(value);
      if (field === 2 && typeof value === 'number') version = value;
    }
    if (domains.has(domain)) this.opsets[domain] = version;
  }
}

/** Text of a name or a domain. Throws MODEL_INVALID. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length > limits.foreignNameBytesMax) throw invalid('A name in the model is too long.');
  return decoder.decode(bytes);
}

/** What a caller gets who brought something else than ONNX. */
export function invalid(message: string, cause?: unknown): PeerAiError<NnErrorCode> {
  const hint = 'Check that the file is whole and is an ONNX model, or export it again.';
  return new PeerAiError<NnErrorCode>('MODEL_INVALID', message, { hint }, { cause });
}

function tooLarge(what: string, max: number): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('MODEL_TOO_LARGE', `The model has more than ${max} ${what}.`, { max });
}

function external(why: string): PeerAiError<NnErrorCode> {
  const hint = 'Save the model as one file: `onnx.save(model, path, save_as_external_data=False)`.';
  return new PeerAiError<NnErrorCode>('MODEL_EXTERNAL_DATA', `The model is not whole: ${why}.`, { hint });
}
