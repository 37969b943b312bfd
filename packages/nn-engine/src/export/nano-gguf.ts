import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { decodeModelFile } from '../nano/model-file.ts';
import { special } from '../nano/tokenizer.ts';
import { byteTokens, type GgufToken, type GgufWeights, languageModelGguf } from './language-model-gguf.ts';

/**
 * The decoder of a nano model file as GGUF, to compare engines on the same weights: those that the file's integers stand for. It takes and gives ids.
 * The tokens' texts are stand-ins, because llama.cpp ends the process over a vocabulary without a token for each byte, and the listener is not in it.
 *
 * Throws INVALID_FORMAT for a file that is none.
 */
export function nanoGguf(file: Uint8Array): Uint8Array {
  const { sizes, weights } = decodeModelFile(file);
  return nanoDecoderGguf(sizes, weights.subarray(0, languageModelLayout(sizes).size), 'nano');
}

/** The same for any weights over the guide's tokens, such as those of an adapter merged into it. Throws SHAPE_MISMATCH. */
export function nanoDecoderGguf(
  sizes: LanguageModelSizes,
  weights: Float32Array,
  name: string,
  stored: GgufWeights = 'float32',
): Uint8Array {
  const bytes = byteTokens();
  const tokens = Array.from(
    { length: sizes.vocabulary },
    (_, id): GgufToken => bytes[id] ?? { text: `<${id}>`, kind: 'normal' },
  );
  return languageModelGguf(sizes, weights, {
    name,
    tokens,
    begin: special.question,
    end: special.end,
    weights: stored,
  });
}
