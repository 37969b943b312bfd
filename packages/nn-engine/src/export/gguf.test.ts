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
import { llamaScores, readGguf } from './testing/read-gguf.ts';
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
    const theirs = llamaScores(file, sizes, ids);
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
