import type { Runtime } from '@peerai/core-protocol';

import type { Corpus } from './corpus-types.ts';
import { normalizePhrase } from './corpus/expand.ts';
import { loopKernel } from './kernel.ts';
import { decodeModelFile, type NanoModelFile, weightSource } from './model-file.ts';
import { createOnnxDecoder } from './onnx-decoder.ts';
import { createPlainDecoder, type Decoder, type DecoderSession, kernelFloats } from './plain.ts';
import { createRetriever, type Retriever } from './retrieve.ts';
import { createTokenizer, special, type Tokenizer } from './tokenizer.ts';
import { signatureProjector } from './signature.ts';
import { wasmKernel } from './wasm-kernel.ts';

/** A loaded nano model and what its answers are made with. */
export interface NanoEngine {
  readonly file: Omit<NanoModelFile, 'weights'>;
  readonly tokenizer: Tokenizer;
  readonly decoder: Decoder;
  /** The question's words and letter groups, projected: added to the token that asks for the answer. */
  readonly project: (text: string) => Float32Array | undefined;
  readonly corpus: Corpus;
  /** Made at the first refusal: it is not needed before. */
  readonly retriever: () => Retriever;
}

/** Loads a model file. Throws INVALID_FORMAT; with a runtime also what its `load` throws. */
export async function loadEngine(bytes: Uint8Array, corpus: Corpus, runtime?: Runtime): Promise<NanoEngine> {
  return await createEngine(decodeModelFile(bytes), corpus, runtime);
}

/** The same from weights in memory. */
export async function createEngine(
  { weights, ...file }: NanoModelFile,
  corpus: Corpus,
  runtime?: Runtime,
): Promise<NanoEngine> {
  let retriever: Retriever | undefined;
  return {
    file,
    tokenizer: createTokenizer(file.vocabulary),
    decoder: await chooseDecoder({ ...file, weights }, runtime),
    project: signatureProjector(file.sizes, weightSource(file.sizes, weights)),
    corpus,
    retriever: () => (retriever ??= createRetriever(corpus)),
  };
}

async function chooseDecoder({ sizes, weights }: NanoModelFile, runtime: Runtime | undefined): Promise<Decoder> {
  if (runtime !== undefined) return createOnnxDecoder(sizes, weights, runtime);
  const kernel = (await wasmKernel(kernelFloats(sizes))) ?? loopKernel();
  return createPlainDecoder(sizes, weightSource(sizes, weights), kernel);
}

/** A question as tokens; `readable` is false when it is empty or mostly signs the model never saw. */
export interface ReadQuestion {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly readable: boolean;
}

/** More unknown characters than this share of the tokens, and the question is not read. */
const unknownShareMax = 0.2;

export function readQuestion(tokenizer: Tokenizer, question: string): ReadQuestion {
  const text = normalizePhrase(question);
  const body = tokenizer.encode(` ${text}`);
  const unknown = body.filter((token) => token === special.unknown).length;
  const readable = text !== '' && unknown <= body.length * unknownShareMax;
  return { text, tokens: [special.question, ...body, special.answer], readable };
}

/** One greedily chosen token and its probability. */
export interface Chosen {
  readonly token: number;
  readonly probability: number;
}

/** Feeds the question and chooses the first answer token. */
export async function begin(
  engine: NanoEngine,
  session: DecoderSession,
  { text, tokens }: ReadQuestion,
): Promise<Chosen> {
  for (const token of tokens.slice(0, -1)) await session.step(token, false);
  return await choose(session, tokens.at(-1) ?? special.answer, engine.project(text));
}

/** Takes a token and chooses the likeliest next one. */
export async function choose(session: DecoderSession, token: number, added?: Float32Array): Promise<Chosen> {
  const scores = (await session.step(token, true, added)) ?? new Float32Array();
  let best = 0;
  for (let index = 1; index < scores.length; index += 1) {
    if ((scores[index] as number) > (scores[best] as number)) best = index;
  }
  const highest = scores[best] ?? 0;
  let total = 0;
  for (let index = 0; index < scores.length; index += 1) total += Math.exp((scores[index] as number) - highest);
  return { token: best, probability: 1 / total };
}
