import { initialWeights, type LanguageModelSizes, seededUnit } from '@peerai/nn-engine';
import { byteTokens, languageModelGguf, languageModelOnnx } from '@peerai/nn-engine/export';
import { createNodeRuntime } from '@peerai/nn-engine/node';
import { expect, it } from 'vitest';

import { freshFolder } from '../folder.ts';
import { findLlamaCpp, llamaCppMissing, llamaCppVariable, openLlamaCpp } from './llama-cpp.ts';

const sizes: LanguageModelSizes = { vocabulary: 259, width: 64, layers: 2, heads: 2, hidden: 96, context: 64 };
const location = findLlamaCpp();

it.skipIf(location === undefined)(
  `llama.cpp gives our GGUF file the log-probabilities of our ONNX file within 1e-3 (needs ${llamaCppVariable})`,
  async () => {
    using folder = freshFolder();
    const weights = initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 8));
    const tokens = [...new TextEncoder().encode('Who learns, and from whom?')].map((byte) => byte + 3);
    const ours = await onnxLogProbabilities(weights, tokens);
    const gguf = languageModelGguf(sizes, weights, { name: 'small', tokens: byteTokens() });
    await using llama = await openLlamaCpp(location ?? '', folder.path, gguf, {
      contextSize: sizes.context,
      exact: true,
    });
    const theirs = await llama.probabilities(tokens);
    let [compared, worst] = [0, 0];
    theirs.forEach((probabilities, place) => {
      for (const [token, probability] of probabilities) {
        worst = Math.max(worst, Math.abs(Math.log(probability) - (ours[place]?.[token] ?? Infinity)));
        compared += 1;
      }
    });
    expect(worst).toBeLessThan(1e-3);
    expect(compared).toBe(tokens.length * sizes.vocabulary);
  },
  60_000,
);

it.skipIf(location !== undefined)('without node-llama-cpp it is said how to install it', () => {
  expect(llamaCppMissing).toContain('npm install');
  expect(llamaCppMissing).toContain(llamaCppVariable);
});

async function onnxLogProbabilities(weights: Float32Array, tokens: readonly number[]): Promise<number[][]> {
  const { signal } = new AbortController();
  await using program = await createNodeRuntime().load(languageModelOnnx(sizes, weights), { signal });
  const feed = { type: 'int64', shape: [1, tokens.length], data: BigInt64Array.from(tokens, BigInt) } as const;
  const { logits } = await program.run({ input_ids: feed }, signal);
  const all = Array.from((logits?.data ?? []) as Float32Array);
  return tokens.map((_, place) => {
    const scores = all.slice(place * sizes.vocabulary, (place + 1) * sizes.vocabulary);
    const sum = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
    return scores.map((score) => score - sum);
  });
}
