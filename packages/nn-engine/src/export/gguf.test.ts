import { describe, expect, it } from 'vitest';

import { loopKernel } from '../nano/kernel.ts';
import { weightSource } from '../nano/model-file.ts';
import { createPlainDecoder } from '../nano/plain.ts';
import { initialWeights, languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { readNanoFile } from '../node/nano-file.ts';
import { nanoSizes } from '../nano/sizes.ts';
import { special } from '../nano/tokenizer.ts';
import { seededUnit } from '../train/random.ts';
import { byteTokens, languageModelGguf } from './language-model-gguf.ts';
import { nanoGguf } from './nano-gguf.ts';

const sizes: LanguageModelSizes = { vocabulary: 259, width: 16, layers: 2, heads: 2, hidden: 20, context: 12 };
const layout = languageModelLayout(sizes);
const weights = initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 20));
const file = readGguf(languageModelGguf(sizes, weights, { name: 'small', tokens: byteTokens() }));

describe('a GGUF file of the language model', () => {
  it('has a header that a reader of the format understands to the last byte', () => {
    expect(file).toMatchObject({ magic: 'GGUF', version: 3, rest: 0 });
    expect(Object.fromEntries(file.metadata)).toMatchObject({
      'general.architecture': 'llama',
      'general.name': 'small',
      'general.alignment': 32,
      'llama.context_length': 12,
      'llama.embedding_length': 16,
      'llama.block_count': 2,
      'llama.feed_forward_length': 20,
      'llama.attention.head_count': 2,
      'llama.attention.head_count_kv': 2,
      'llama.rope.dimension_count': 8,
      'llama.rope.freq_base': 10_000,
      'llama.vocab_size': 259,
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.add_space_prefix': false,
      'tokenizer.ggml.add_bos_token': false,
      'tokenizer.ggml.unknown_token_id': 0,
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
    });
    expect(file.metadata.get('llama.attention.layer_norm_rms_epsilon')).toBeCloseTo(1e-5, 10);
  });

  it('names every byte, with a space of its own that is no byte token', () => {
    const [tokens, kinds] = ['tokens', 'token_type'].map((name) => file.metadata.get(`tokenizer.ggml.${name}`)) as [
      string[],
      number[],
    ];
    expect([tokens.length, kinds.length]).toEqual([259, 259]);
    expect(tokens.slice(0, 4)).toEqual(['<unk>', '<s>', '</s>', '<0x00>']);
    expect(kinds.slice(0, 4)).toEqual([2, 3, 3, 6]);
    expect([tokens[3 + 0x20], kinds[3 + 0x20]]).toEqual(['\u2581', 1]);
    expect([tokens[3 + 0xff], kinds[3 + 0xff]]).toEqual(['<0xFF>', 6]);
  });

  it('has the tensors of the llama architecture, each aligned', () => {
    const shapes = Object.fromEntries([...file.tensors].map(([name, tensor]) => [name, tensor.sizes]));
    expect(Object.keys(shapes)).toHaveLength(3 + 9 * sizes.layers);
    expect(shapes).toMatchObject({
      'token_embd.weight': [16, 259],
      'blk.0.attn_norm.weight': [16],
      'blk.1.attn_q.weight': [16, 16],
      'blk.1.attn_k.weight': [16, 16],
      'blk.1.attn_v.weight': [16, 16],
      'blk.1.attn_output.weight': [16, 16],
      'blk.1.ffn_norm.weight': [16],
      'blk.1.ffn_gate.weight': [16, 20],
      'blk.1.ffn_up.weight': [16, 20],
      'blk.1.ffn_down.weight': [20, 16],
      'output_norm.weight': [16],
      'output.weight': [16, 259],
    });
    for (const { offset } of file.tensors.values()) expect(offset % 32).toBe(0);
  });

  it('scores as our decoder does, when it is computed by the rules of that architecture', async () => {
    const ids = [4, 200, 35, 7, 7, 101];
    const session = await createPlainDecoder(sizes, weightSource(layout, weights), loopKernel()).open();
    const theirs = llamaScores(ids);
    for (const [place, id] of ids.entries()) {
      const ours = Array.from((await session.step(id, true)) ?? []);
      expect(Math.max(...ours) - Math.min(...ours)).toBeGreaterThan(1);
      ours.forEach((score, token) => expect(score).toBeCloseTo(theirs[place]?.[token] ?? Number.NaN, 4));
    }
    await session.close();
  });

  it('of nano has its decoder alone, under ids', async () => {
    const nano = readGguf(nanoGguf(await readNanoFile(AbortSignal.timeout(10_000))));
    const tokens = nano.metadata.get('tokenizer.ggml.tokens') as string[];
    expect(tokens).toHaveLength(nanoSizes.vocabulary);
    expect(new Set(tokens).size, 'each text once').toBe(tokens.length);
    expect(nano.metadata.get('tokenizer.ggml.bos_token_id')).toBe(special.question);
    expect(nano.metadata.get('tokenizer.ggml.eos_token_id')).toBe(special.end);
    expect([...nano.tensors.keys()].filter((name) => !name.startsWith('blk.'))).toEqual([
      'token_embd.weight',
      'output_norm.weight',
      'output.weight',
    ]);
    expect(nano.rest).toBe(0);
  });

  it('is not written for weights or tokens of another number', () => {
    const options = { name: 'small', tokens: byteTokens() };
    expect(() => languageModelGguf(sizes, weights.subarray(1), options)).toThrowError(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
    expect(() => languageModelGguf(sizes, weights, { ...options, tokens: byteTokens().slice(1) })).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});

/** The forward pass by llama.cpp's conventions: a row of a matrix for each output, neighbours 2i and 2i + 1 of a head turned together. */
function llamaScores(ids: readonly number[]): number[][] {
  const { width, heads, layers } = sizes;
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

interface ReadTensor {
  readonly sizes: number[];
  readonly offset: number;
  readonly data: Float32Array;
}

/** Reads the kinds of value that the file has; throws for any other. */
function readGguf(bytes: Uint8Array) {
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
    expect(uint32(), 'tensor type float32').toBe(0);
    return { name, sizes, offset: uint64() };
  });
  const start = Math.ceil(place / 32) * 32;
  let end = start;
  const tensors = new Map<string, ReadTensor>();
  for (const { name, sizes, offset } of infos) {
    const count = sizes.reduce((product, size) => product * size, 1);
    expect(start + offset, `${name} begins where the one before ends`).toBe(Math.ceil(end / 32) * 32);
    end = start + offset + 4 * count;
    tensors.set(name, { sizes, offset, data: new Float32Array(bytes.slice(start + offset, end).buffer) });
  }
  return { magic, version, metadata, tensors, rest: bytes.length - Math.ceil(end / 32) * 32 };
}
