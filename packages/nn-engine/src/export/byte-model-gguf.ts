import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { checkLength } from '../train/layout.ts';
import { byteTokens, type GgufWeights, languageModelGguf } from './language-model-gguf.ts';

interface TrainedLanguageModel {
  readonly sizes: LanguageModelSizes;
  readonly weights: Float32Array;
}

/** A byte that UTF-8 never has: what was trained on text gives it next to nothing. */
const neverByte = 0xff;

/**
 * A model whose 256 tokens are the bytes as GGUF: the three marks that llama.cpp wants before them are written in with the row and the column of the byte
 * 0xFF, so that they are as unlikely as it. Log-probabilities of bytes change by as little as three such tokens have. Throws SHAPE_MISMATCH.
 */
export function byteModelGguf(
  sizes: LanguageModelSizes,
  weights: Float32Array,
  name: string,
  stored: GgufWeights = 'float32',
): Uint8Array {
  const marked = withMarks(sizes, weights);
  return languageModelGguf(marked.sizes, marked.weights, { name, tokens: byteTokens(), weights: stored });
}

/** The same model with three tokens before its bytes. */
export function withMarks(sizes: LanguageModelSizes, weights: Float32Array): TrainedLanguageModel {
  checkLength({ layout: languageModelLayout(sizes), weights });
  const tokens = byteTokens();
  const more = tokens.length - sizes.vocabulary;
  const grown = { ...sizes, vocabulary: tokens.length };
  const layout = languageModelLayout(grown);
  const whole = new Float32Array(layout.size);
  const before = languageModelLayout(sizes).parameters;
  layout.parameters.forEach(({ name: own, offset }, index) => {
    const { offset: from = 0, size = 0 } = before[index] ?? {};
    const part = weights.subarray(from, from + size);
    if (own === 'embedding') {
      const mark = part.subarray(neverByte * sizes.width, (neverByte + 1) * sizes.width);
      for (let row = 0; row < more; row += 1) whole.set(mark, offset + row * sizes.width);
      whole.set(part, offset + more * sizes.width);
    } else if (own === 'output') {
      for (let row = 0; row < sizes.width; row += 1) {
        const columns = part.subarray(row * sizes.vocabulary, (row + 1) * sizes.vocabulary);
        const place = offset + row * grown.vocabulary;
        whole.fill(columns[neverByte] ?? 0, place, place + more);
        whole.set(columns, place + more);
      }
    } else whole.set(part, offset);
  });
  return { sizes: grown, weights: whole };
}
