import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { checkLength } from '../train/layout.ts';
import { encodeGguf, type GgufTensor, type GgufValue } from './gguf.ts';
import { q8Blocks } from './q8.ts';

/** One entry of a vocabulary, in SentencePiece's manner; a space inside a text is written as U+2581 in the file. */
export interface GgufToken {
  readonly text: string;
  readonly kind: 'normal' | 'unknown' | 'control' | 'byte';
}

export interface GgufOptions {
  /** What programs show as the model's name. */
  readonly name: string;
  /** As many as the model's vocabulary; `byteTokens()` for models over bytes. */
  readonly tokens: readonly GgufToken[];
  /** Ids of the tokens that begin and end a text. Default: those of `byteTokens()`, 1 and 2. */
  readonly begin?: number;
  readonly end?: number;
  /**
   * `q8`: matrices in Q8_0, a quarter of the size, where 32 divides the rows; the norms stay float32. Log-probabilities then differ by rounding: 0.02 nats on
   * average and 0.1 at the most in the test. Default `float32`.
   */
  readonly weights?: GgufWeights;
}
export type GgufWeights = 'float32' | 'q8';

/** llama.cpp's numbers of token kinds (llama.h, llama_token_type). */
const tokenKinds = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const visibleSpace = '\u2581';
const rmsEpsilon = 1e-5;
const rotaryBase = 10_000;

/**
 * A vocabulary over bytes: 0 unknown, 1 begin, 2 end, then 3 + b for each byte b.
 *
 * The space has a token of its own text, not of kind byte: llama.cpp writes a space as U+2581 before it looks it up.
 */
export function byteTokens(): readonly GgufToken[] {
  const bytes = Array.from({ length: 256 }, (_, byte): GgufToken => {
    if (byte === 0x20) return { text: ' ', kind: 'normal' };
    return { text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, kind: 'byte' };
  });
  return [
    { text: '<unk>', kind: 'unknown' },
    { text: '<s>', kind: 'control' },
    { text: '</s>', kind: 'control' },
    ...bytes,
  ];
}

/**
 * The language model as a GGUF file of architecture `llama`, float32 or Q8_0, for llama.cpp, Ollama and what is built on them.
 *
 * @param weights - flat, as `languageModelLayout`. Throws SHAPE_MISMATCH when their number differs, INVALID_OPTION when the tokens do not fit the vocabulary.
 */
export function languageModelGguf(sizes: LanguageModelSizes, weights: Float32Array, options: GgufOptions): Uint8Array {
  checkLength({ layout: languageModelLayout(sizes), weights });
  const { tokens } = options;
  if (tokens.length !== sizes.vocabulary) {
    throw new PeerAiError<NnErrorCode>(
      'INVALID_OPTION',
      `${tokens.length} tokens for a vocabulary of ${sizes.vocabulary}.`,
      {
        expected: sizes.vocabulary,
        received: tokens.length,
      },
    );
  }
  return encodeGguf({
    metadata: { ...architecture(sizes, options), ...tokenizer(options) },
    tensors: options.weights === 'q8' ? tensorsOf(sizes, weights).map(inQ8) : tensorsOf(sizes, weights),
  });
}

const inQ8 = (tensor: GgufTensor): GgufTensor =>
  tensor.sizes.length === 1 ? tensor : { ...tensor, q8: q8Blocks(tensor.data, tensor.sizes[0] ?? 0) };

/** llama.cpp's numbers of what most tensors are (llama.h, llama_ftype). */
const fileTypes = { float32: 0, q8: 7 } as const;

function architecture(
  sizes: LanguageModelSizes,
  { name, weights = 'float32' }: GgufOptions,
): Readonly<Record<string, GgufValue>> {
  const headWidth = sizes.width / sizes.heads;
  return {
    'general.architecture': 'llama',
    'general.name': name,
    'general.file_type': { uint32: fileTypes[weights] },
    ...(weights === 'q8' ? { 'general.quantization_version': { uint32: 2 } } : {}),
    'llama.context_length': { uint32: sizes.context },
    'llama.embedding_length': { uint32: sizes.width },
    'llama.block_count': { uint32: sizes.layers },
    'llama.feed_forward_length': { uint32: sizes.hidden },
    'llama.attention.head_count': { uint32: sizes.heads },
    'llama.attention.head_count_kv': { uint32: sizes.heads },
    'llama.attention.layer_norm_rms_epsilon': { float32: rmsEpsilon },
    'llama.rope.dimension_count': { uint32: headWidth },
    'llama.rope.freq_base': { float32: rotaryBase },
    'llama.vocab_size': { uint32: sizes.vocabulary },
  };
}

/** Without the prefix space and without added tokens: the text is what the model sees. */
function tokenizer({ tokens, begin = 1, end = 2 }: GgufOptions): Readonly<Record<string, GgufValue>> {
  const unknown = tokens.findIndex(({ kind }) => kind === 'unknown');
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': { strings: tokens.map(({ text }) => text.replaceAll(' ', visibleSpace)) },
    'tokenizer.ggml.scores': { floats: tokens.map(() => 0) },
    'tokenizer.ggml.token_type': { int32s: tokens.map(({ kind }) => tokenKinds[kind]) },
    'tokenizer.ggml.bos_token_id': { uint32: begin },
    'tokenizer.ggml.eos_token_id': { uint32: end },
    ...(unknown < 0 ? {} : { 'tokenizer.ggml.unknown_token_id': { uint32: unknown } }),
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.ggml.add_eos_token': false,
    'tokenizer.ggml.add_space_prefix': false,
    'tokenizer.chat_template': "{% for message in messages %}{{ message['content'] }}\n{% endfor %}",
  };
}

function tensorsOf(sizes: LanguageModelSizes, weights: Float32Array): readonly GgufTensor[] {
  const { width, hidden, heads, vocabulary, layers } = sizes;
  const places = new Map(languageModelLayout(sizes).parameters.map((parameter) => [parameter.name, parameter]));
  const take = (name: string): Float32Array => {
    const { offset = 0, size = 0 } = places.get(name) ?? {};
    return weights.slice(offset, offset + size);
  };
  /** Ours is [in, out]; theirs has a row for each output. */
  const rows = (name: string, tensor: string, inputs: number, from = 0, outputs?: number): GgufTensor => {
    const source = take(name);
    const all = source.length / inputs;
    return matrix(tensor, inputs, columns(source, inputs, all, from, from + (outputs ?? all)));
  };
  const paired = ({ data, ...tensor }: GgufTensor): GgufTensor => ({
    ...tensor,
    data: interleavePairs(data, width, heads),
  });
  const gain = (name: string, tensor: string): GgufTensor => ({ name: tensor, sizes: [width], data: take(name) });
  const blocks = Array.from({ length: layers }, (_, layer) => [
    gain(`${layer}.normA`, `blk.${layer}.attn_norm.weight`),
    paired(rows(`${layer}.qkv`, `blk.${layer}.attn_q.weight`, width, 0, width)),
    paired(rows(`${layer}.qkv`, `blk.${layer}.attn_k.weight`, width, width, width)),
    rows(`${layer}.qkv`, `blk.${layer}.attn_v.weight`, width, 2 * width, width),
    rows(`${layer}.attention`, `blk.${layer}.attn_output.weight`, width),
    gain(`${layer}.normB`, `blk.${layer}.ffn_norm.weight`),
    rows(`${layer}.gateUp`, `blk.${layer}.ffn_gate.weight`, width, 0, hidden),
    rows(`${layer}.gateUp`, `blk.${layer}.ffn_up.weight`, width, hidden, hidden),
    rows(`${layer}.down`, `blk.${layer}.ffn_down.weight`, hidden),
  ]);
  return [
    { name: 'token_embd.weight', sizes: [width, vocabulary], data: take('embedding') },
    ...blocks.flat(),
    gain('norm', 'output_norm.weight'),
    rows('output', 'output.weight', width),
  ];
}

function matrix(name: string, inputs: number, data: Float32Array): GgufTensor {
  return { name, sizes: [inputs, data.length / inputs], data };
}

/** Columns `from` to before `to` of a row-major [rows, all], each as a row. */
function columns(source: Float32Array, rows: number, all: number, from: number, to: number): Float32Array {
  const result = new Float32Array((to - from) * rows);
  for (let column = from; column < to; column += 1) {
    for (let row = 0; row < rows; row += 1) result[(column - from) * rows + row] = source[row * all + column] ?? 0;
  }
  return result;
}

/**
 * Rows of a query or key matrix in the order llama.cpp rotates them: it turns neighbours 2i and 2i + 1 of a head, ours are i and i + half.
 */
function interleavePairs(source: Float32Array, width: number, heads: number): Float32Array {
  const result = new Float32Array(source.length);
  const [headWidth, half] = [width / heads, width / heads / 2];
  for (let row = 0; row < width; row += 1) {
    const [head, place] = [Math.floor(row / headWidth), row % headWidth];
    const from = head * headWidth + (place % 2) * half + Math.floor(place / 2);
    result.set(source.subarray(from * width, (from + 1) * width), row * width);
  }
  return result;
}
