import type { Tensor, Tensors } from '@peerai/core-protocol';

/** Texts as tokens in rows of one length, and which of them count. */
export interface TokenRows {
  readonly rows: number;
  readonly length: number;
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** 1 for a token, 0 for what fills a row up. */
  readonly mask: BigInt64Array<ArrayBuffer>;
}
type Encode = (text: string) => readonly unknown[];

/** @param tokensMax - what is longer is cut, its last token (an end mark, where there is one) kept. Throws when the tokenizer gives no numbers. */
export function tokenRows(texts: readonly string[], encode: Encode, tokensMax: number): TokenRows {
  const lists = texts.map((text) => {
    const ids = encode(text);
    return ids.length <= tokensMax ? ids : [...ids.slice(0, tokensMax - 1), ids.at(-1)];
  });
  const length = Math.max(1, ...lists.map((ids) => ids.length));
  const [ids, mask] = [new BigInt64Array(lists.length * length), new BigInt64Array(lists.length * length)];
  for (const [row, list] of lists.entries()) {
    for (const [column, id] of list.entries()) {
      if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new TypeError('a piece of text has no token');
      ids[row * length + column] = BigInt(id);
      mask[row * length + column] = 1n;
    }
  }
  return { rows: lists.length, length, ids, mask };
}

/** What a BERT-like model takes, by the names that exporters give it. */
export function tokenFeeds({ rows, length, ids, mask }: TokenRows, names: readonly string[]): Tensors {
  const zeros = new BigInt64Array(ids.length);
  const data = new Map([
    ['input_ids', ids],
    ['attention_mask', mask],
    ['token_type_ids', zeros],
  ]);
  const tensor = (name: string): Tensor => ({ type: 'int64', shape: [rows, length], data: data.get(name) ?? zeros });
  return Object.fromEntries(names.map((name) => [name, tensor(name)]));
}

/**
 * One vector of length 1 a text: the model's own where it gives [texts, width], else the mean over the tokens of [texts, tokens, width].
 * Undefined when the shape is another, or a vector is zero or not finite.
 */
export function unitVectors({ shape, data }: Tensor, { rows, length, mask }: TokenRows): Tensor | undefined {
  const width = shape.at(-1) ?? 0;
  const isPooled = shape.length === 2 && shape[0] === rows;
  const isTokens = shape.length === 3 && shape[0] === rows && shape[1] === length;
  if (!(data instanceof Float32Array) || width === 0 || (!isPooled && !isTokens)) return undefined;
  const places = isPooled ? 1 : length;
  const vectors = new Float32Array(rows * width);
  for (let row = 0; row < rows; row += 1) {
    const sum = new Float64Array(width);
    for (let place = 0; place < places; place += 1) {
      if (isTokens && mask[row * length + place] === 0n) continue;
      for (let at = 0; at < width; at += 1) sum[at] = (sum[at] ?? 0) + (data[(row * places + place) * width + at] ?? 0);
    }
    const norm = Math.hypot(...sum);
    if (!(norm > 0) || !Number.isFinite(norm)) return undefined;
    vectors.set(
      sum.map((value) => value / norm),
      row * width,
    );
  }
  return { type: 'float32', shape: [rows, width], data: vectors };
}
