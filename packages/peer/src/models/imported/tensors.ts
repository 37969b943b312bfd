import { PeerAiError, type Tensor, type Tensors } from '@peerai/core-protocol';
import { modelLimits } from '../limits.ts';
import type { ImportedModelView, ModelRunView } from '../imported.schema.ts';

type Value = ImportedModelView['inputs'][number];
type Output = ModelRunView['outputs'][string];

/** JSON for the inputs of a model as tensors. Throws INVALID_FORMAT, which names the input, and LIMIT_EXCEEDED. */
export function readInputs(values: readonly Value[], given: Readonly<Record<string, unknown>>): Tensors {
  const unknown = Object.keys(given).find((name) => values.every((value) => value.name !== name));
  const names = values.map(({ name }) => name).join(', ');
  if (unknown !== undefined) throw wrong(`the model has no input "${unknown.slice(0, 100)}"; it takes ${names}`);
  const missing = values.find(({ name }) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw wrong(`the input "${missing.name}" is missing; the model takes ${names}`);
  const numbers = { left: modelLimits.modelElementsMax };
  return Object.fromEntries(values.map((value) => [value.name, readTensor(value, given[value.name], numbers)]));
}

/** What a model gave, for JSON. Throws LIMIT_EXCEEDED. */
export function writeOutputs(tensors: Tensors): Record<string, Output> {
  const count = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  if (count > modelLimits.modelElementsMax) throw tooMany(`the model gave ${count} numbers`);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, shape, data }]) => [
      name,
      { type, shape: [...shape], data: Array.from<number | bigint, number | string>(data, writeNumber) },
    ]),
  );
}

interface Numbers {
  left: number;
}

function readTensor(value: Value, given: unknown, numbers: Numbers): Tensor {
  const { shape, flat } = isRecord(given) ? readFlat(value, given, numbers) : readNested(value, given, numbers);
  const at = (place: number): unknown => flat[place];
  const list = { length: flat.length };
  switch (value.type) {
    case 'float32':
    case 'float16':
      return { type: 'float32', shape, data: Float32Array.from(list, (_, place) => readFloat(value, at(place))) };
    case 'int64':
      return { type: 'int64', shape, data: BigInt64Array.from(list, (_, place) => readInteger(value, at(place), 63)) };
    case 'int32':
      return { type: 'int32', shape, data: Int32Array.from(list, (_, i) => Number(readInteger(value, at(i), 31))) };
    case 'uint8':
      return { type: 'uint8', shape, data: Uint8Array.from(list, (_, i) => readByte(value, at(i), 255)) };
    case 'bool':
      return { type: 'uint8', shape, data: Uint8Array.from(list, (_, i) => readByte(value, at(i), 1)) };
  }
}

const isRecord = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

interface Flat {
  readonly shape: readonly number[];
  readonly flat: readonly unknown[];
}

function readFlat(
  { name }: Value,
  { shape, data, ...more }: Readonly<Record<string, unknown>>,
  numbers: Numbers,
): Flat {
  const isShape =
    Array.isArray(shape) &&
    shape.length <= modelLimits.modelRankMax &&
    shape.every((size) => Number.isSafeInteger(size) && Number(size) >= 0);
  if (!isShape || !Array.isArray(data) || Object.keys(more).length > 0)
    throw wrong(`${name}: give numbers in lists, or { "shape": […], "data": […] }`);
  const sizes = shape.map(Number);
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count !== data.length) throw wrong(`${name}: the shape holds ${count} numbers, and ${data.length} were given`);
  take(numbers, data.length);
  return { shape: sizes, flat: data };
}

function readNested({ name }: Value, given: unknown, numbers: Numbers): Flat {
  const shape: number[] = [];
  for (let one = given; Array.isArray(one); one = (one as readonly unknown[])[0]) {
    if (shape.length === modelLimits.modelRankMax) throw wrong(`${name}: too many lists inside each other`);
    shape.push(one.length);
  }
  let flat: readonly unknown[] = [given];
  for (const size of shape) {
    if (!flat.every((one) => Array.isArray(one) && one.length === size))
      throw wrong(`${name}: the lists have different lengths`);
    flat = flat.flat();
    if (flat.length > numbers.left) break;
  }
  take(numbers, flat.length);
  return { shape, flat };
}

function take(numbers: Numbers, count: number): void {
  numbers.left -= count;
  if (numbers.left < 0) throw tooMany('too many numbers go in');
}

function readFloat({ name }: Value, given: unknown): number {
  if (typeof given === 'number') return given;
  if (given === 'NaN' || given === 'Infinity' || given === '-Infinity') return Number(given);
  throw wrong(`${name}: a number is not one`);
}

function readInteger({ name }: Value, given: unknown, bits: number): bigint {
  const isWhole =
    typeof given === 'number' ? Number.isSafeInteger(given) : typeof given === 'string' && /^-?\d{1,19}$/u.test(given);
  const number = isWhole ? BigInt(given as number | string) : undefined;
  if (number === undefined || BigInt.asIntN(bits + 1, number) !== number)
    throw wrong(`${name}: a number is no whole one of ${bits + 1} bits`);
  return number;
}

function readByte({ name }: Value, given: unknown, max: number): number {
  const number = typeof given === 'boolean' && max === 1 ? Number(given) : given;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= max) return number;
  throw wrong(`${name}: a number is not 0 to ${max}`);
}

function writeNumber(number: number | bigint): number | string {
  if (typeof number === 'number') return Number.isFinite(number) ? number : String(number);
  const near = Number(number);
  return Number.isSafeInteger(near) ? near : String(number);
}

const wrong = (message: string): PeerAiError => new PeerAiError('INVALID_FORMAT', message);
const tooMany = (what: string): PeerAiError =>
  new PeerAiError('LIMIT_EXCEEDED', `${what}; ${modelLimits.modelElementsMax} at once are allowed`);
