import { initialWeights, languageModelLayout, type LanguageModelSizes, seededUnit } from '@peerai/nn-engine';
import { byteTokens, languageModelGguf, languageModelOnnx, nanoGguf } from '@peerai/nn-engine/export';
import { createNodeRuntime, readNanoFile } from '@peerai/nn-engine/node';
import { decodeModelFile } from '@peerai/nn-engine/text';
import { expect, it } from 'vitest';

import { freshFolder } from '../folder.ts';
import { findLlamaCpp, llamaCppMissing, llamaCppVariable, openLlamaCpp } from './llama-cpp.ts';

const sizes: LanguageModelSizes = { vocabulary: 259, width: 64, layers: 2, heads: 2, hidden: 96, context: 64 };
const location = findLlamaCpp();

const bytes = [...new TextEncoder().encode('Who learns, and from whom?')].map((byte) => byte + 3);
const weights = initialWeights(sizes, seededUnit(3)).map((weight) => (weight === 1 ? 1.1 : weight * 8));

/** A GGUF file of ours beside our scores, and how far llama.cpp may be from them, at the worst and on average, nats. In eight bits it rounds states too. */
const files: [
  string,
  number,
  number,
  () => Promise<{ gguf: Uint8Array; ours: number[][]; ids: readonly number[]; context: number }>,
][] = [
  ['a model over bytes', 1e-3, 1e-4, () => overBytes('float32')],
  ['a model over bytes in eight bits', 0.5, 0.06, () => overBytes('q8')],
  ['the nano model as `peerai models export` writes it', 1e-3, 1e-4, overTopics],
];

it.skipIf(location === undefined).for(files)(
  `llama.cpp gives %s as a GGUF file our log-probabilities within %f (needs ${llamaCppVariable})`,
  { timeout: 60_000 },
  async ([, within, onAverage, make]) => {
    using folder = freshFolder();
    const { gguf, ours, ids, context } = await make();
    await using llama = await openLlamaCpp(location ?? '', folder.path, gguf, { contextSize: context, exact: true });
    const theirs = await llama.probabilities(ids);
    let [compared, worst, sum] = [0, 0, 0];
    theirs.forEach((probabilities, place) => {
      for (const [token, probability] of probabilities) {
        const difference = Math.abs(Math.log(probability) - (ours[place]?.[token] ?? Infinity));
        worst = Math.max(worst, difference);
        sum += difference;
        compared += 1;
      }
    });
    expect(compared).toBe(ids.length * (ours[0]?.length ?? 0));
    expect(worst).toBeLessThan(within);
    expect(sum / compared).toBeLessThan(onAverage);
  },
);

async function overBytes(stored: 'float32' | 'q8') {
  const gguf = languageModelGguf(sizes, weights, { name: 'small', tokens: byteTokens(), weights: stored });
  return { gguf, ours: await onnxLogProbabilities(sizes, weights, bytes), ids: bytes, context: sizes.context };
}

async function overTopics() {
  const file = await readNanoFile(new AbortController().signal);
  const { sizes: nano, weights: all } = decodeModelFile(file);
  const ids = Array.from({ length: 20 }, (_, index) => 40 + 3 * index);
  const ours = await onnxLogProbabilities(nano, all.subarray(0, languageModelLayout(nano).size), ids);
  return { gguf: nanoGguf(file), ours, ids, context: nano.context };
}

it.skipIf(location !== undefined)('without node-llama-cpp it is said how to install it', () => {
  expect(llamaCppMissing).toContain('npm install');
  expect(llamaCppMissing).toContain(llamaCppVariable);
});

async function onnxLogProbabilities(
  of: LanguageModelSizes,
  values: Float32Array,
  tokens: readonly number[],
): Promise<number[][]> {
  const { signal } = new AbortController();
  await using program = await createNodeRuntime().load(languageModelOnnx(of, values), { signal });
  const feed = { type: 'int64', shape: [1, tokens.length], data: BigInt64Array.from(tokens, BigInt) } as const;
  const { logits } = await program.run({ input_ids: feed }, signal);
  const all = Array.from((logits?.data ?? []) as Float32Array);
  return tokens.map((_, place) => {
    const scores = all.slice(place * of.vocabulary, (place + 1) * of.vocabulary);
    const sum = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
    return scores.map((score) => score - sum);
  });
}
