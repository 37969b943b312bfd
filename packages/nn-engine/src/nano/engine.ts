import type { Runtime } from '@peerai/core-protocol';

import { languageModelLayout } from '../models/language-model.ts';
import { type Choice, chooseWithMargin } from '../text/sample.ts';
import { normalizePhrase } from './corpus/expand.ts';
import { loopKernel } from './kernel.ts';
import { createListener, type Heard } from './listener.ts';
import { decodeModelFile, type NanoModelFile, weightSource } from './model-file.ts';
import { createPlainDecoder, type Decoder, type DecoderSession, kernelFloats } from './plain.ts';
import { nanoLayout, topicToken } from './sizes.ts';
import { createTokenizer, special, type Tokenizer } from './tokenizer.ts';
import { wasmKernel } from './wasm-kernel.ts';

/** A loaded nano model. */
export interface NanoEngine {
  readonly file: Omit<NanoModelFile, 'weights'>;
  readonly tokenizer: Tokenizer;
  /** Names the topic of a normalised question. */
  readonly listen: (text: string) => Heard;
  /** Recites the answer to a topic. */
  readonly decoder: Decoder;
}

/** Loads a model file. Throws INVALID_FORMAT; with a runtime also what its `load` throws. */
export async function loadEngine(bytes: Uint8Array, runtime?: Runtime): Promise<NanoEngine> {
  return await createEngine(decodeModelFile(bytes), runtime);
}

/** The same from weights in memory. */
export async function createEngine({ weights, ...file }: NanoModelFile, runtime?: Runtime): Promise<NanoEngine> {
  const source = weightSource(nanoLayout(file.sizes), weights);
  return {
    file,
    tokenizer: createTokenizer(file.vocabulary),
    listen: createListener(file.sizes, source),
    decoder: await chooseDecoder({ ...file, weights }, runtime),
  };
}

async function chooseDecoder({ sizes, weights }: NanoModelFile, runtime: Runtime | undefined): Promise<Decoder> {
  const layout = languageModelLayout(sizes);
  const own = weights.subarray(0, layout.size);
  if (runtime !== undefined) {
    const { createOnnxDecoder } = await import('./onnx-decoder.ts');
    return createOnnxDecoder(sizes, own, runtime);
  }
  const kernel = (await wasmKernel(kernelFloats(sizes))) ?? loopKernel();
  return createPlainDecoder(sizes, weightSource(layout, own), kernel);
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
  return { text, tokens: [special.question, ...body], readable };
}

/** Feeds the question and its topic, and chooses the first token of the answer. */
export async function begin(
  { file }: NanoEngine,
  session: DecoderSession,
  tokens: readonly number[],
  topic: number,
): Promise<Choice> {
  for (const token of tokens) await session.step(token, false);
  return await choose(session, topicToken(file.sizes, topic));
}

/** Takes a token and chooses the likeliest next one. */
export const choose = async (session: DecoderSession, token: number): Promise<Choice> =>
  chooseWithMargin((await session.step(token, true)) ?? new Float32Array(), {}, () => 0);
