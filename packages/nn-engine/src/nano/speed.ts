/** Measures decoding: `node packages/nn-engine/dist/nano/speed.js`. Tokens a second on one thread, median of five, decoders interleaved. */
import { createNodeRuntime } from '../node/runtime.ts';
import { readNanoFile } from '../node/nano-file.ts';
import { languageModelLayout } from '../models/language-model.ts';
import { choose } from './engine.ts';
import { loopKernel } from './kernel.ts';
import { decodeModelFile, weightSource } from './model-file.ts';
import { createOnnxDecoder } from './onnx-decoder.ts';
import { createPlainDecoder, type Decoder, kernelFloats } from './plain.ts';
import { special } from './tokenizer.ts';
import { wasmKernel } from './wasm-kernel.ts';

const rounds = 5;
const tokens = 120;

const { sizes, weights: all } = decodeModelFile(await readNanoFile(new AbortController().signal));
const layout = languageModelLayout(sizes);
const weights = all.subarray(0, layout.size);
const kernels = [await wasmKernel(kernelFloats(sizes)), loopKernel()].filter((kernel) => kernel !== undefined);
const decoders: readonly Decoder[] = [
  ...kernels.map((kernel) => createPlainDecoder(sizes, weightSource(layout, weights), kernel)),
  createOnnxDecoder(sizes, weights, createNodeRuntime()),
];
const measured = new Map<string, number[]>(decoders.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const decoder of decoders) measured.get(decoder.name)?.push(await tokensPerSecond(decoder));
}
for (const [name, speeds] of measured) {
  const [slowest, median, fastest] = [0, (rounds - 1) / 2, rounds - 1].map((place) =>
    speeds.toSorted((a, b) => a - b)[place]?.toFixed(0),
  );
  process.stdout.write(`${name.padEnd(10)} ${median} tokens/s (${slowest}–${fastest})\n`);
}

async function tokensPerSecond(decoder: Decoder): Promise<number> {
  const session = await decoder.open();
  let { token } = await choose(session, special.question);
  const started = performance.now();
  for (let count = 0; count < tokens; count += 1) ({ token } = await choose(session, token));
  const seconds = (performance.now() - started) / 1000;
  await session.close();
  return tokens / seconds;
}
