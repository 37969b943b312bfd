import { createTokenizer, special, type Vocabulary } from '../nano/tokenizer.ts';

/**
 * A `tokenizer.json` (the form of Hugging Face's tokenizers) for models whose tokens are the 256 bytes: pieces without merges, written as GPT-2's
 * byte-level alphabet writes them (Radford et al. 2019, `bytes_to_unicode`).
 */
export function byteTokenizerJson(): Uint8Array {
  let spare = 0;
  const vocabulary = Object.fromEntries(
    Array.from({ length: 256 }, (_, byte) => {
      const isShown = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      return [String.fromCodePoint(isShown ? byte : 0x100 + spare++), byte];
    }),
  );
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  return file({ pre_tokenizer: level, decoder: level, model: { vocab: vocabulary, merges: [] } });
}

/** The nano model's vocabulary as a `tokenizer.json`; its topics are no text and are left out. */
export function nanoTokenizerJson(vocabulary: Vocabulary): Uint8Array {
  const tokenizer = createTokenizer(vocabulary);
  const marks = Object.entries(special).map(([name, id]) => ({ id, content: `<${name}>` }));
  const texts = Array.from(
    { length: tokenizer.size },
    (_, id) => marks.find((mark) => mark.id === id)?.content ?? tokenizer.decode([id]),
  );
  return file({
    added_tokens: marks.map((mark) => ({ ...mark, special: true, normalized: false, lstrip: false, rstrip: false })),
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: String.raw` ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s` },
      behavior: 'Isolated',
      invert: false,
    },
    decoder: { type: 'Fuse' },
    model: {
      unk_token: '<unknown>',
      vocab: Object.fromEntries(texts.map((text, id) => [text, id])),
      merges: vocabulary.merges.map(([left, right]) => [texts[left], texts[right]]),
    },
  });
}

function file({ model, ...rest }: { readonly model: object } & Readonly<Record<string, unknown>>): Uint8Array {
  const whole = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    post_processor: null,
    ...rest,
    model: { type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, ...model },
  };
  return new TextEncoder().encode(JSON.stringify(whole));
}
