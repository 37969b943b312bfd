import type { LanguageModelSizes } from '../../models/language-model.ts';

/** The forward pass by llama.cpp's conventions: a row of a matrix for each output, neighbours 2i and 2i + 1 of a head turned together. */
export function llamaScores(
  file: ReadFile,
  { width, heads, layers }: LanguageModelSizes,
  ids: readonly number[],
): number[][] {
  const headWidth = width / heads;
  const tensor = (name: string): readonly number[] => Array.from(file.tensors.get(`${name}.weight`)?.data ?? []);
  const times = (name: string, x: readonly number[]): number[] => {
    const matrix = tensor(name);
    return Array.from({ length: matrix.length / x.length }, (_, row) =>
      x.reduce((sum, value, index) => sum + value * (matrix[row * x.length + index] ?? 0), 0),
    );
  };
  const norm = (name: string, x: readonly number[]): number[] => {
    const root = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + 1e-5);
    return x.map((value, index) => (value / root) * (tensor(name)[index] ?? 0));
  };
  const turn = (x: readonly number[], place: number): number[] =>
    x.map((value, index) => {
      const pair = Math.floor((index % headWidth) / 2);
      const angle = place / 10_000 ** ((2 * pair) / headWidth);
      const other = x[index ^ 1] ?? 0;
      return index % 2 === 0
        ? value * Math.cos(angle) - other * Math.sin(angle)
        : value * Math.cos(angle) + other * Math.sin(angle);
    });
  const cache = Array.from({ length: layers }, () => [] as { key: number[]; value: number[] }[]);
  return ids.map((id, place) => {
    let state = tensor('token_embd').slice(id * width, (id + 1) * width);
    const plus = (change: readonly number[]): number[] => state.map((value, index) => value + (change[index] ?? 0));
    for (let layer = 0; layer < layers; layer += 1) {
      const block = (name: string): string => `blk.${layer}.${name}`;
      const x = norm(block('attn_norm'), state);
      const seen = cache[layer] ?? [];
      seen.push({ key: turn(times(block('attn_k'), x), place), value: times(block('attn_v'), x) });
      const query = turn(times(block('attn_q'), x), place);
      const mixed = query.map((_, index) => {
        const head = Math.floor(index / headWidth) * headWidth;
        const dots = seen.map(({ key }) =>
          Math.exp(
            query.slice(head, head + headWidth).reduce((sum, value, i) => sum + value * (key[head + i] ?? 0), 0) /
              Math.sqrt(headWidth),
          ),
        );
        const all = dots.reduce((sum, dot) => sum + dot, 0);
        return seen.reduce((sum, { value }, at) => sum + ((dots[at] ?? 0) / all) * (value[index] ?? 0), 0);
      });
      state = plus(times(block('attn_output'), mixed));
      const y = norm(block('ffn_norm'), state);
      const up = times(block('ffn_up'), y);
      const gated = times(block('ffn_gate'), y).map((gate, index) => (gate / (1 + Math.exp(-gate))) * (up[index] ?? 0));
      state = plus(times(block('ffn_down'), gated));
    }
    return times('output', norm('output_norm', state));
  });
}

export type ReadFile = ReturnType<typeof readGguf>;
interface ReadTensor {
  readonly type: 'float32' | 'q8';
  readonly sizes: number[];
  readonly offset: number;
  readonly data: Float32Array;
}

/** Reads the kinds of value that the file has; throws for any other. */
export function readGguf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let place = 0;
  const skip = (count: number): number => (place += count) - count;
  const uint32 = (): number => view.getUint32(skip(4), true);
  const uint64 = (): number => Number(view.getBigUint64(skip(8), true));
  const text = (count: number): string => new TextDecoder().decode(bytes.subarray(skip(count), place));
  const readers: Readonly<Record<number, () => unknown>> = {
    4: uint32,
    5: () => view.getInt32(skip(4), true),
    6: () => view.getFloat32(skip(4), true),
    7: () => view.getUint8(skip(1)) === 1,
    8: () => text(uint64()),
    9: () => {
      const type = uint32();
      return Array.from({ length: uint64() }, () => value(type));
    },
  };
  const value = (type: number): unknown => {
    const read = readers[type];
    if (read === undefined) throw new Error(`the file has a value of type ${type}`);
    return read();
  };
  const [magic, version, tensorCount, pairCount] = [text(4), uint32(), uint64(), uint64()];
  const metadata = new Map(Array.from({ length: pairCount }, () => [text(uint64()), value(uint32())] as const));
  const infos = Array.from({ length: tensorCount }, () => {
    const name = text(uint64());
    const sizes = Array.from({ length: uint32() }, uint64);
    const type = uint32();
    if (type !== 0 && type !== 8) throw new Error(`${name} has the type ${type}`);
    return { name, sizes, type, offset: uint64() };
  });
  const start = Math.ceil(place / 32) * 32;
  let end = start;
  const tensors = new Map<string, ReadTensor>();
  for (const { name, sizes, type, offset } of infos) {
    const count = sizes.reduce((product, size) => product * size, 1);
    if (start + offset !== Math.ceil(end / 32) * 32)
      throw new Error(`${name} does not begin where the one before ends`);
    end = start + offset + (type === 0 ? 4 * count : (count / 32) * 34);
    const stored = bytes.slice(start + offset, end);
    const data = type === 0 ? new Float32Array(stored.buffer) : fromQ8(stored);
    tensors.set(name, { type: type === 0 ? 'float32' : 'q8', sizes, offset, data });
  }
  return { magic, version, metadata, tensors, rest: bytes.length - Math.ceil(end / 32) * 32 };
}

/** What the blocks stand for: scale times integer. */
function fromQ8(blocks: Uint8Array): Float32Array {
  const view = new DataView(blocks.buffer);
  const data = new Float32Array((blocks.length / 34) * 32);
  for (let index = 0; index < data.length; index += 1) {
    const block = Math.floor(index / 32) * 34;
    const half = view.getUint16(block, true);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1_023];
    const scale = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1_024) * 2 ** (exponent - 15);
    data[index] = scale * view.getInt8(block + 2 + (index % 32));
  }
  return data;
}
