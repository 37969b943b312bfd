import { PeerAiError, type Tensor, type Tensors, wire } from '@peerai/core-protocol';

import { limits } from '../limits.ts';

/** How states and their gradients travel. `int8`: each row of the last axis as whole numbers of −127 to 127 and one float32 scale. */
export type ActivationForm = 'float32' | 'int8';

/** What may travel as int8: weights, norms and token numbers may not. */
const roundable: ReadonlySet<string> = new Set(['state', 'next', 'rows', 'stateGradient', 'nextGradient']);

const tensorForm = wire.message({
  name: wire.string(1),
  form: wire.oneOf(2, ['float32', 'int64', 'int8']),
  shape: wire.repeated(wire.uint32(3), limits.stageRankMax),
  data: wire.bytes(4),
});
type WireTensor = ReturnType<typeof tensorForm.decode>;

/** Tensors of one message. */
export const tensorList = (number: number) => wire.repeated(wire.nested(number, tensorForm), limits.stageTensorsMax);

/** Throws LIMIT_EXCEEDED for a tensor above `limits.stageActivationBytesMax`, counted as float32. */
export function packTensors(tensors: Tensors, form: ActivationForm): readonly WireTensor[] {
  return Object.entries(tensors).map(([name, { type, shape, data }]) => {
    checkBytes(name, data.byteLength);
    if (data instanceof BigInt64Array) return { name, form: 'int64', shape, data: littleEndian(data) };
    if (!(data instanceof Float32Array)) throw invalid(`${name} is ${type}; float32 and int64 travel.`);
    const rounds = form === 'int8' && roundable.has(name) && shape.length > 1;
    return rounds
      ? { name, form: 'int8', shape, data: packRows(data, shape.at(-1) ?? 1) }
      : { name, form: 'float32', shape, data: littleEndian(data) };
  });
}

/** Throws INVALID_FORMAT for a tensor whose bytes do not fit its shape or that comes twice, LIMIT_EXCEEDED. */
export function unpackTensors(list: readonly WireTensor[]): Tensors {
  const entries = list.map((one) => [one.name, unpack(one)] as const);
  if (new Set(entries.map(([name]) => name)).size < entries.length) throw invalid('A tensor comes twice.');
  return Object.fromEntries(entries);
}

function unpack({ name, form, shape, data }: WireTensor): Tensor {
  const elements = shape.reduce((product, size) => product * size, 1);
  checkBytes(name, elements * (form === 'int64' ? 8 : 4));
  const width = shape.at(-1) ?? 1;
  const bytes = form === 'int8' ? elements + 4 * (elements / width) : elements * (form === 'int64' ? 8 : 4);
  if (width === 0 || data.length !== bytes) throw invalid(`${name}: ${data.length} bytes do not fit its shape.`);
  if (form === 'int8') return { type: 'float32', shape, data: unpackRows(data, elements, width) };
  return form === 'int64'
    ? { type: 'int64', shape, data: fromLittleEndian(data, BigInt64Array, 'getBigInt64') }
    : { type: 'float32', shape, data: fromLittleEndian(data, Float32Array, 'getFloat32') };
}

/** A row: its scale, then its elements. A row of zeros has the scale 0, and 0 / 0 is written as 0. */
function packRows(data: Float32Array, width: number): Uint8Array {
  const bytes = new Uint8Array(data.length + (4 * data.length) / width);
  const view = new DataView(bytes.buffer);
  for (let from = 0, at = 0; from < data.length; from += width, at += width + 4) {
    let largest = 0;
    for (let index = 0; index < width; index += 1) largest = Math.max(largest, Math.abs(data[from + index] ?? 0));
    const scale = Math.fround(largest / 127);
    view.setFloat32(at, scale, true);
    for (let index = 0; index < width; index += 1)
      view.setInt8(at + 4 + index, Math.round((data[from + index] ?? 0) / scale));
  }
  return bytes;
}

function unpackRows(bytes: Uint8Array, elements: number, width: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = new Float32Array(elements);
  for (let from = 0, at = 0; from < elements; from += width, at += width + 4) {
    const scale = view.getFloat32(at, true);
    for (let index = 0; index < width; index += 1) data[from + index] = scale * view.getInt8(at + 4 + index);
  }
  return data;
}

/** Whether this machine writes numbers as they travel: then they are copied whole, a tenth of the time of one after the other. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function littleEndian(data: Float32Array | BigInt64Array): Uint8Array {
  if (isLittleEndian) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  if (data instanceof BigInt64Array) data.forEach((value, at) => view.setBigInt64(8 * at, value, true));
  else data.forEach((value, at) => view.setFloat32(4 * at, value, true));
  return bytes;
}

function fromLittleEndian<T extends Float32Array | BigInt64Array>(
  bytes: Uint8Array,
  numbers: { new (count: number): T; readonly BYTES_PER_ELEMENT: number },
  read: 'getFloat32' | 'getBigInt64',
): T {
  const made = new numbers(bytes.length / numbers.BYTES_PER_ELEMENT);
  if (isLittleEndian) {
    new Uint8Array(made.buffer).set(bytes);
    return made;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < made.length; at += 1) made[at] = view[read](at * numbers.BYTES_PER_ELEMENT, true);
  return made;
}

function checkBytes(name: string, bytes: number): void {
  if (bytes > limits.stageActivationBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `${name} has ${bytes} bytes; at most ${limits.stageActivationBytesMax}.`, {
      bytes,
      bytesMax: limits.stageActivationBytesMax,
    });
}

const invalid = (text: string): PeerAiError => new PeerAiError('INVALID_FORMAT', text);
