import { initialWeights, languageModelLayout, type LanguageModelSizes, seededUnit } from '@peerai/nn-engine';
import { byteTokens, languageModelGguf, languageModelOnnx, nanoGguf } from '@peerai/nn-engine/export';
import {
  distance,
  findLlamaCpp,
  llamaCppMissing,
  llamaCppVariable,
  onnxLogProbabilities,
  openLlamaCpp,
} from '@peerai/nn-engine/export/testing';
import { readNanoFile } from '@peerai/nn-engine/node';
import { decodeModelFile } from '@peerai/nn-engine/text';
import { expect, it } from 'vitest';

import { freshFolder } from './folder.ts';

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
    const { worst, average, compared } = distance(await llama.logProbabilities(ids), ours);
    expect(compared).toBe(ids.length * (ours[0]?.length ?? 0));
    expect(worst).toBeLessThan(within);
    expect(average).toBeLessThan(onAverage);
  },
);

async function overBytes(stored: 'float32' | 'q8') {
  const gguf = languageModelGguf(sizes, weights, { name: 'small', tokens: byteTokens(), weights: stored });
  return {
    gguf,
    ours: await onnxLogProbabilities(languageModelOnnx(sizes, weights), bytes),
    ids: bytes,
    context: sizes.context,
  };
}

async function overTopics() {
  const file = await readNanoFile(new AbortController().signal);
  const { sizes: nano, weights: all } = decodeModelFile(file);
  const ids = Array.from({ length: 20 }, (_, index) => 40 + 3 * index);
  const ours = await onnxLogProbabilities(
    languageModelOnnx(nano, all.subarray(0, languageModelLayout(nano).size)),
    ids,
  );
  return { gguf: nanoGguf(file), ours, ids, context: nano.context };
}

it.skipIf(location !== undefined)('without node-llama-cpp it is said how to install it', () => {
  expect(llamaCppMissing).toContain('npm install');
  expect(llamaCppMissing).toContain(llamaCppVariable);
});
