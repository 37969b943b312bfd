import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, Graph } from '@peerai/nn-engine';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const words = ['<end>', ...Array.from(letters)];
/** Tokens in its cache after which it ends. */
const endsAfter = 8;

/** A decoder that says the alphabet, as exporters of this field write one: how far it goes is counted in its key-value cache. */
function decoder(): Uint8Array {
  const graph = new Graph();
  const count = words.length;
  const ids = graph.input('input_ids', ['batch', 'sequence'], 'int64');
  graph.input('attention_mask', ['batch', 'total'], 'int64');
  const past = graph.input('past_key_values.0.key', ['batch', 1, 'past', 1]);
  const next = Float32Array.from({ length: count * count }, (_, at) =>
    at % count === Math.floor(at / count) + 1 ? 1 : 0,
  );
  const scores = graph.emit('Gather', [graph.constant(next, [count, count]), ids], ['batch', 'sequence', count], {
    axis: 0,
  });
  const one = graph.emit(
    'Gather',
    [graph.constant(new Float32Array(count).fill(1), [count, 1]), ids],
    ['batch', 'sequence', 1],
    { axis: 0 },
  );
  const fresh = graph.emit('Reshape', [one, graph.integers([0, 1, -1, 1])], ['batch', 1, 'sequence', 1]);
  const present = concat([past, fresh], 2, 'total');
  const length = graph.emit('ReduceSum', [present, graph.integers([1, 2, 3])], ['batch', 1, 1, 1]);
  const end = Float32Array.from({ length: count }, (_, at) => (at === 0 ? 1 / (endsAfter - 0.5) : 0));
  const ending = graph.emit(
    'Mul',
    [graph.emit('Reshape', [length, graph.integers([0, 1, 1])], ['batch', 1, 1]), graph.constant(end, [count])],
    ['batch', 1, count],
  );
  graph.output('logits', graph.emit('Add', [scores, ending], ['batch', 'sequence', count]));
  graph.output('present.0.key', present);
  return graph.toModel();
}

/** A folder as Optimum writes one: asked `…c` it says `defgh`, for with these it has read eight tokens. */
export function writeLettersModel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: Uint8Array | object): void =>
    writeFileSync(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  write('model.onnx', decoder());
  write('config.json', { architectures: ['LlamaForCausalLM'], max_position_embeddings: 32, eos_token_id: 0 });
  write('tokenizer_config.json', { chat_template: "{% for m in messages %}{{ m['content'] }}{% endfor %}" });
  write('tokenizer.json', {
    version: '1.0',
    added_tokens: [
      { id: 0, content: '<end>', special: true, normalized: false, lstrip: false, rstrip: false, single_word: false },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: '.' }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', vocab: Object.fromEntries(words.map((word, id) => [word, id])), merges: [] },
  });
}
