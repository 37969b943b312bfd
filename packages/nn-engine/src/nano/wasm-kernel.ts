import type { Kernel, Matrix } from './kernel.ts';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
/** The little of the WebAssembly API that is used; the package compiles without the DOM's types. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  instantiate(
    bytes: Uint8Array<ArrayBuffer>,
    imports: { readonly host: { readonly memory: WasmMemory } },
  ): Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
};

/**
 * One WebAssembly function of about 200 bytes, written here by hand: matrix × vector with 128-bit SIMD.
 *
 * Opcodes from the WebAssembly core specification 2.0, sections 5.4.1 to 5.4.9 (binary format of instructions).
 */
const op = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  f32Store: 0x38,
  i32Const: 0x41,
  i32LessUnsigned: 0x49,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i32ShiftLeft: 0x74,
  f32Add: 0x92,
  simd: 0xfd,
} as const;
const simd = { load: 0x00, constant: 0x0c, f32x4ExtractLane: 0x1f, f32x4Add: 0xe4, f32x4Multiply: 0xe6 } as const;
const type = { i32: 0x7f, v128: 0x7b, function: 0x60, empty: 0x40 } as const;
/** Parameters and locals of the function. */
const local = { matrix: 0, input: 1, output: 2, rows: 3, columns: 4, inputEnd: 5, cursor: 6, sums: 7 } as const;
const lanes = 4;
const sums = 4;
const vectorBytes = 16;

const pageBytes = 65_536;
/** 64 MiB: far above what nano needs. */
const pagesMax = 1024;

type Multiply = (matrix: number, input: number, output: number, rows: number, columns: number) => void;

/**
 * Undefined where WebAssembly or its SIMD is missing, or the page's policy forbids it.
 *
 * @param floats - room for this many float32 values in all; asking for more throws RangeError.
 */
export async function wasmKernel(floats: number): Promise<Kernel | undefined> {
  try {
    const pages = Math.ceil((floats * 4) / pageBytes) + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pagesMax });
    const { instance } = await WebAssembly.instantiate(moduleBytes(), { host: { memory } });
    return kernelOf(memory, instance.exports['multiply'] as Multiply);
  } catch {
    return undefined;
  }
}

function kernelOf(memory: WasmMemory, multiply: Multiply): Kernel {
  let used = 0;
  const vector = (size: number): Float32Array => {
    const offset = used;
    used += Math.ceil((size * 4) / vectorBytes) * vectorBytes;
    return new Float32Array(memory.buffer, offset, size);
  };
  return {
    name: 'wasm-simd',
    vector,
    matrix: (rows, columns) => ({ rows, columns, values: vector(rows * columns) }),
    multiply({ rows, columns, values }: Matrix, input, output) {
      multiply(values.byteOffset, input.byteOffset, output.byteOffset, rows, columns);
    },
  };
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const parameters = [type.i32, type.i32, type.i32, type.i32, type.i32];
  const types = section(1, [1, type.function, parameters.length, ...parameters, 0]);
  const imports = section(2, [
    1,
    ...name('host'),
    ...name('memory'),
    0x02,
    0x01,
    ...unsigned(1),
    ...unsigned(pagesMax),
  ]);
  const functions = section(3, [1, 0]);
  const exports = section(7, [1, ...name('multiply'), 0x00, 0]);
  const body = [2, 2, type.i32, sums, type.v128, ...multiplyCode(), op.end];
  const code = section(10, [1, ...unsigned(body.length), ...body]);
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...types, ...imports, ...functions, ...exports, ...code]);
}

/** For each row: four running sums over 16 columns at a time, added up into one output. */
function multiplyCode(): number[] {
  const zero = [op.simd, simd.constant, ...Array.from({ length: vectorBytes }, () => 0)];
  const step = sums * vectorBytes;
  const accumulate = range(sums).flatMap((index) => [
    ...get(local.sums + index),
    ...get(local.matrix),
    ...load(index * vectorBytes),
    ...get(local.cursor),
    ...load(index * vectorBytes),
    ...vector(simd.f32x4Multiply),
    ...vector(simd.f32x4Add),
    ...set(local.sums + index),
  ]);
  const columns = [
    op.loop,
    type.empty,
    ...accumulate,
    ...increase(local.matrix, step),
    ...get(local.cursor),
    ...constant(step),
    op.i32Add,
    op.localTee,
    local.cursor,
    ...get(local.inputEnd),
    op.i32LessUnsigned,
    op.branchIf,
    0,
    op.end,
  ];
  const joined = [
    ...get(local.sums),
    ...range(sums - 1).flatMap((index) => [...get(local.sums + index + 1), ...vector(simd.f32x4Add)]),
    ...set(local.sums),
  ];
  const lane = (index: number): number[] => [...get(local.sums), op.simd, simd.f32x4ExtractLane, index];
  const total = [...lane(0), ...range(lanes - 1).flatMap((index) => [...lane(index + 1), op.f32Add])];
  return [
    ...get(local.input),
    ...get(local.columns),
    ...constant(2),
    op.i32ShiftLeft,
    op.i32Add,
    ...set(local.inputEnd),
    op.loop,
    type.empty,
    ...get(local.input),
    ...set(local.cursor),
    ...range(sums).flatMap((index) => [...zero, ...set(local.sums + index)]),
    ...columns,
    ...joined,
    ...get(local.output),
    ...total,
    op.f32Store,
    2,
    0,
    ...increase(local.output, 4),
    ...get(local.rows),
    ...constant(1),
    op.i32Subtract,
    op.localTee,
    local.rows,
    op.branchIf,
    0,
    op.end,
  ];
}

function get(index: number): number[] {
  return [op.localGet, index];
}

function set(index: number): number[] {
  return [op.localSet, index];
}

function increase(index: number, by: number): number[] {
  return [...get(index), ...constant(by), op.i32Add, ...set(index)];
}

function constant(value: number): number[] {
  return [op.i32Const, ...signed(value)];
}

function load(offset: number): number[] {
  return [op.simd, simd.load, 4, ...unsigned(offset)];
}

function vector(code: number): number[] {
  return [op.simd, ...unsigned(code)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
}

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** LEB128 of a number that is not negative, signed: bit 6 of the last byte must be clear. */
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
