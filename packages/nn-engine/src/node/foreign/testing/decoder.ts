import { encode, type Message, model, open } from './hand-made.ts';

/** Sizes of a tiny decoder: layers, heads, width of a head, tokens it knows, places it can tell apart. */
export const tiny = { layers: 2, heads: 2, head: 4, vocabulary: 16, context: 160 } as const;
const width = tiny.heads * tiny.head;
export interface DecoderWeights {
  readonly tokens: Float32Array;
  readonly places: Float32Array;
  /** Of each layer: [width, width] each. */
  readonly layers: readonly Readonly<Record<'query' | 'key' | 'value' | 'out', Float32Array>>[];
  readonly output: Float32Array;
}

export function decoderWeights(random: () => number): DecoderWeights {
  const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * (random() - 0.5));
  const square = (): Float32Array => numbers(width * width);
  return {
    tokens: numbers(tiny.vocabulary * width),
    places: numbers(tiny.context * width),
    layers: Array.from({ length: tiny.layers }, () => ({
      query: square(),
      key: square(),
      value: square(),
      out: square(),
    })),
    output: numbers(width * tiny.vocabulary),
  };
}

const floats = (name: string, sizes: readonly number[], numbers: Float32Array): Message => ({
  1: [...sizes],
  2: 1,
  8: name,
  9: new Uint8Array(numbers.slice().buffer),
});
const ints = (name: string, ...numbers: number[]): Message => ({
  1: [numbers.length],
  2: 7,
  8: name,
  9: new Uint8Array(BigInt64Array.from(numbers.map(BigInt)).buffer),
});
const node = (operator: string, inputs: readonly string[], output: string, ...attributes: Message[]): Message => ({
  1: [...inputs],
  2: output,
  4: operator,
  ...(attributes.length > 0 && { 5: attributes }),
});
const whole = (name: string, number: number): Message => ({ 1: name, 3: number, 20: 2 });
const wholes = (name: string, ...numbers: number[]): Message => ({ 1: name, 8: numbers, 20: 7 });

/**
 * A decoder with a key-value cache as exporters of this field write it: attention over learned places, no normalisation. Where the mask is 0 nobody looks.
 *
 * @param cache - ONNX's number for the type of the cache: 1 is float32, 10 float16.
 */
export function decoder(weights: DecoderWeights, cache: 1 | 10 = 1): Uint8Array {
  const { heads, head, vocabulary, context } = tiny;
  const past = [1, 2].flatMap((part) =>
    Array.from({ length: tiny.layers }, (_, at) => `${at}.${part === 1 ? 'key' : 'value'}`),
  );
  const sizes = (length: string): (string | number)[] => ['batch_size', heads, length, head];
  const graph: Message = {
    1: [
      node('Gather', ['tokens', 'input_ids'], 'said'),
      node('Gather', ['places', 'position_ids'], 'where'),
      node('Add', ['said', 'where'], 'state.0'),
      // Of the whole length [k], what the new places [q] may see: themselves and what was before.
      node('Shape', ['attention_mask'], 'mask.shape'),
      node('Gather', ['mask.shape', 'one'], 'length'),
      node('Range', ['zero', 'length', 'one.scalar'], 'seen'),
      node('Unsqueeze', ['position_ids', 'last'], 'asking'),
      node('Greater', ['seen', 'asking'], 'later'),
      node('Cast', ['attention_mask'], 'mask.truth', whole('to', 9)),
      node('Not', ['mask.truth'], 'mask.none'),
      node('Unsqueeze', ['mask.none', 'one.list'], 'mask.row'),
      node('Or', ['later', 'mask.row'], 'hidden.3'),
      node('Unsqueeze', ['hidden.3', 'one.list'], 'hidden'),
      ...weights.layers.flatMap((_, at) => layer(at, cache)),
      node('MatMul', [`state.${tiny.layers}`, 'output'], 'logits'),
    ],
    5: [
      floats('tokens', [vocabulary, width], weights.tokens),
      floats('places', [context, width], weights.places),
      floats('output', [width, vocabulary], weights.output),
      ...weights.layers.flatMap((one, at) =>
        Object.entries(one).map(([name, numbers]) => floats(`${name}.${at}`, [width, width], numbers)),
      ),
      floats('scale', [1], Float32Array.of(1 / Math.sqrt(head))),
      floats('never', [1], Float32Array.of(-1e9)),
      { 2: 7, 8: 'zero', 9: new Uint8Array(8) },
      { 2: 7, 8: 'one.scalar', 9: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) },
      { 2: 7, 8: 'one', 9: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) },
      ints('one.list', 1),
      ints('last', -1),
      ints('split', 0, 0, heads, head),
      ints('join', 0, 0, width),
    ],
    11: [
      ...['input_ids', 'position_ids'].map((name) => open(name, 7, ['batch_size', 'sequence_length'])),
      open('attention_mask', 7, ['batch_size', 'total_sequence_length']),
      ...past.map((name) => open(`past_key_values.${name}`, cache, sizes('past_sequence_length'))),
    ],
    12: [
      open('logits', 1, ['batch_size', 'sequence_length', vocabulary]),
      ...past.map((name) => open(`present.${name}`, cache, sizes('total_sequence_length'))),
    ],
  };
  return encode(model(graph));
}

function layer(at: number, cache: number): readonly Message[] {
  const inHeads = (name: string): Message[] => [
    node('MatMul', [`state.${at}`, `${name}.${at}`], `${name}.flat.${at}`),
    node('Reshape', [`${name}.flat.${at}`, 'split'], `${name}.split.${at}`),
    node('Transpose', [`${name}.split.${at}`], `${name}.heads.${at}`, wholes('perm', 0, 2, 1, 3)),
  ];
  const kept = (name: string): Message[] => [
    node('Cast', [`${name}.heads.${at}`], `${name}.new.${at}`, whole('to', cache)),
    node('Concat', [`past_key_values.${at}.${name}`, `${name}.new.${at}`], `present.${at}.${name}`, whole('axis', 2)),
    node('Cast', [`present.${at}.${name}`], `${name}.all.${at}`, whole('to', 1)),
  ];
  return [
    ...['query', 'key', 'value'].flatMap(inHeads),
    ...['key', 'value'].flatMap(kept),
    node('Transpose', [`key.all.${at}`], `key.turned.${at}`, wholes('perm', 0, 1, 3, 2)),
    node('MatMul', [`query.heads.${at}`, `key.turned.${at}`], `raw.${at}`),
    node('Mul', [`raw.${at}`, 'scale'], `scaled.${at}`),
    node('Where', ['hidden', 'never', `scaled.${at}`], `masked.${at}`),
    node('Softmax', [`masked.${at}`], `shares.${at}`, whole('axis', -1)),
    node('MatMul', [`shares.${at}`, `value.all.${at}`], `mixed.${at}`),
    node('Transpose', [`mixed.${at}`], `mixed.turned.${at}`, wholes('perm', 0, 2, 1, 3)),
    node('Reshape', [`mixed.turned.${at}`, 'join'], `joined.${at}`),
    node('MatMul', [`joined.${at}`, `out.${at}`], `told.${at}`),
    node('Add', [`state.${at}`, `told.${at}`], `state.${at + 1}`),
  ];
}

/** The same in plain arithmetic over the whole text at once, without a cache: scores after the last token. */
export function plainScores(weights: DecoderWeights, tokens: readonly number[]): number[] {
  let states = tokens.map((token, place) =>
    Array.from(
      { length: width },
      (_, at) => (weights.tokens[token * width + at] ?? 0) + (weights.places[place * width + at] ?? 0),
    ),
  );
  for (const { query, key, value, out } of weights.layers) {
    const [asks, keys, values] = [query, key, value].map((matrix) =>
      states.map((state) => times(state, matrix, width)),
    );
    states = states.map((state, place) => {
      const mixed = Array.from({ length: tiny.heads }, (_, at) => {
        const part = (row: readonly number[] | undefined): number[] =>
          (row ?? []).slice(at * tiny.head, (at + 1) * tiny.head);
        const scores = tokens
          .slice(0, place + 1)
          .map((_, other) => dot(part(asks?.[place]), part(keys?.[other])) / Math.sqrt(tiny.head));
        const greatest = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - greatest));
        const sum = shares.reduce((total, share) => total + share, 0);
        return Array.from({ length: tiny.head }, (_, column) =>
          shares.reduce((total, share, other) => total + (share / sum) * (part(values?.[other])[column] ?? 0), 0),
        );
      }).flat();
      return times(mixed, out, width).map((number, at) => number + (state[at] ?? 0));
    });
  }
  return times(states.at(-1) ?? [], weights.output, tiny.vocabulary);
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, number, at) => sum + number * (b[at] ?? 0), 0);
const times = (row: readonly number[], matrix: Float32Array, columns: number): number[] =>
  Array.from({ length: columns }, (_, column) =>
    row.reduce((sum, number, at) => sum + number * (matrix[at * columns + column] ?? 0), 0),
  );

/** Fourteen words, a sign that ends an answer (0) and one that begins it (1). */
export const words = ['<end>', '<start>', ...Array.from('abcdefghijklmn')];
/** A `tokenizer.json` whose tokens are these words, each a letter. */
export const letters = (): object => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [0, 1].map((id) => ({
    id,
    content: words[id],
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'Split', pattern: { Regex: '.' }, behavior: 'Isolated', invert: false },
  post_processor: null,
  decoder: { type: 'Fuse' },
  model: { type: 'BPE', vocab: Object.fromEntries(words.map((word, id) => [word, id])), merges: [] },
});
