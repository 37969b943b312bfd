import { rotaryAngles } from '../graph/ops/transformer.ts';
import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import type { Kernel, Matrix } from './kernel.ts';

/** Reads one parameter in the layout's own order: matrices are [in, out], row-major. */
export type WeightSource = (name: string) => Float32Array;

/** One conversation's memory inside a decoder. */
export interface DecoderSession {
  /** Takes the next token; gives the scores [vocabulary] of what follows, valid until this session's next step, or nothing when they are not wanted. */
  step(token: number, wantScores: boolean): Float32Array | undefined | Promise<Float32Array | undefined>;
  close(): Promise<void>;
}

/** Computes one token after the other. */
export interface Decoder {
  readonly name: string;
  /** A conversation of its own; the weights are shared. Steps that wait for others end with the signal. */
  open(signal?: AbortSignal): Promise<DecoderSession>;
}

const rmsEpsilon = 1e-5;

interface Layer {
  readonly normA: Float32Array;
  readonly qkv: Matrix;
  readonly attention: Matrix;
  readonly normB: Float32Array;
  readonly gateUp: Matrix;
  readonly down: Matrix;
}

/** Floats a kernel needs for a model: the weights, and the vectors in between. */
export function kernelFloats(sizes: LanguageModelSizes): number {
  return languageModelLayout(sizes).size + 16 * (sizes.width + sizes.hidden) + sizes.vocabulary + 1024;
}

/** The same model as the training graph, in plain TypeScript: float32, one token at a time, with a key-value cache. */
export function createPlainDecoder(sizes: LanguageModelSizes, weights: WeightSource, kernel: Kernel): Decoder {
  const model = new PlainModel(sizes, weights, kernel);
  return {
    name: kernel.name,
    async open() {
      const cache = new Cache(sizes);
      return {
        step: (token, wantScores) => model.step(cache, token, wantScores),
        close: async () => undefined,
      };
    },
  };
}

class Cache {
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  /** Copied out of the model, whose own vectors the next conversation writes over. */
  readonly scores: Float32Array;
  length = 0;

  constructor({ layers, context, width, vocabulary }: LanguageModelSizes) {
    this.scores = new Float32Array(vocabulary);
    const rooms = () => Array.from({ length: layers }, () => new Float32Array(context * width));
    this.keys = rooms();
    this.values = rooms();
  }
}

class PlainModel {
  readonly #sizes: LanguageModelSizes;
  readonly #kernel: Kernel;
  readonly #embedding: Float32Array;
  readonly #layers: readonly Layer[];
  readonly #norm: Float32Array;
  readonly #output: Matrix;
  readonly #angles: { readonly cosines: Float32Array; readonly sines: Float32Array };
  readonly #state: Float32Array;
  readonly #normalised: Float32Array;
  readonly #qkv: Float32Array;
  readonly #mixed: Float32Array;
  readonly #projected: Float32Array;
  readonly #gateUp: Float32Array;
  readonly #gated: Float32Array;
  readonly #scores: Float32Array;
  readonly #attentionScores: Float32Array;

  constructor(sizes: LanguageModelSizes, weights: WeightSource, kernel: Kernel) {
    const { width, hidden, vocabulary, context } = sizes;
    const matrix = (name: string, inputs: number, outputs: number): Matrix =>
      transposed(kernel, weights(name), inputs, outputs);
    this.#sizes = sizes;
    this.#kernel = kernel;
    this.#embedding = weights('embedding').slice();
    this.#layers = Array.from({ length: sizes.layers }, (_, layer) => ({
      normA: weights(`${layer}.normA`).slice(),
      qkv: matrix(`${layer}.qkv`, width, 3 * width),
      attention: matrix(`${layer}.attention`, width, width),
      normB: weights(`${layer}.normB`).slice(),
      gateUp: matrix(`${layer}.gateUp`, width, 2 * hidden),
      down: matrix(`${layer}.down`, hidden, width),
    }));
    this.#norm = weights('norm').slice();
    this.#output = matrix('output', width, vocabulary);
    this.#angles = rotaryAngles(context, width / sizes.heads);
    this.#state = new Float32Array(width);
    this.#normalised = kernel.vector(width);
    this.#qkv = kernel.vector(3 * width);
    this.#mixed = kernel.vector(width);
    this.#projected = kernel.vector(width);
    this.#gateUp = kernel.vector(2 * hidden);
    this.#gated = kernel.vector(hidden);
    this.#scores = kernel.vector(vocabulary);
    this.#attentionScores = new Float32Array(context);
  }

  step(cache: Cache, token: number, wantScores: boolean): Float32Array | undefined {
    const { width, context } = this.#sizes;
    const position = cache.length;
    if (position >= context) throw new RangeError(`the context of ${context} tokens is full`);
    this.#state.set(this.#embedding.subarray(token * width, (token + 1) * width));
    this.#layers.forEach((layer, index) => {
      this.#attend(layer, cache.keys[index] as Float32Array, cache.values[index] as Float32Array, position);
      this.#feedForward(layer);
    });
    cache.length = position + 1;
    if (!wantScores) return undefined;
    normalise(this.#state, this.#norm, this.#normalised);
    this.#kernel.multiply(this.#output, this.#normalised, this.#scores);
    cache.scores.set(this.#scores);
    return cache.scores;
  }

  #attend(layer: Layer, keys: Float32Array, values: Float32Array, position: number): void {
    const { width, heads } = this.#sizes;
    const headWidth = width / heads;
    normalise(this.#state, layer.normA, this.#normalised);
    this.#kernel.multiply(layer.qkv, this.#normalised, this.#qkv);
    for (let head = 0; head < 2 * heads; head += 1) this.#rotate(head * headWidth, headWidth, position);
    keys.set(this.#qkv.subarray(width, 2 * width), position * width);
    values.set(this.#qkv.subarray(2 * width), position * width);
    for (let head = 0; head < heads; head += 1)
      this.#attendHead(head * headWidth, headWidth, keys, values, position + 1);
    this.#kernel.multiply(layer.attention, this.#mixed, this.#projected);
    addTo(this.#state, this.#projected);
  }

  #rotate(start: number, headWidth: number, position: number): void {
    const half = headWidth / 2;
    const { cosines, sines } = this.#angles;
    const vector = this.#qkv;
    for (let pair = 0; pair < half; pair += 1) {
      const [cosine, sine] = [cosines[position * half + pair] as number, sines[position * half + pair] as number];
      const [left, right] = [vector[start + pair] as number, vector[start + half + pair] as number];
      vector[start + pair] = left * cosine - right * sine;
      vector[start + half + pair] = right * cosine + left * sine;
    }
  }

  /** softmax(q·k / √d)·v over the first `count` cached positions, for one head. */
  #attendHead(start: number, headWidth: number, keys: Float32Array, values: Float32Array, count: number): void {
    const { width } = this.#sizes;
    const factor = 1 / Math.sqrt(headWidth);
    const [query, scores, mixed] = [this.#qkv, this.#attentionScores, this.#mixed];
    let highest = -Infinity;
    for (let other = 0; other < count; other += 1) {
      let sum = 0;
      const row = other * width + start;
      for (let index = 0; index < headWidth; index += 1)
        sum += (query[start + index] as number) * (keys[row + index] as number);
      scores[other] = sum * factor;
      if (sum * factor > highest) highest = sum * factor;
    }
    let total = 0;
    for (let other = 0; other < count; other += 1) {
      const weight = Math.exp((scores[other] as number) - highest);
      scores[other] = weight;
      total += weight;
    }
    mixed.fill(0, start, start + headWidth);
    for (let other = 0; other < count; other += 1) {
      const weight = (scores[other] as number) / total;
      const row = other * width + start;
      for (let index = 0; index < headWidth; index += 1) {
        mixed[start + index] = (mixed[start + index] as number) + weight * (values[row + index] as number);
      }
    }
  }

  #feedForward(layer: Layer): void {
    const { hidden } = this.#sizes;
    const [both, gated] = [this.#gateUp, this.#gated];
    normalise(this.#state, layer.normB, this.#normalised);
    this.#kernel.multiply(layer.gateUp, this.#normalised, both);
    for (let index = 0; index < hidden; index += 1) {
      const gate = both[index] as number;
      gated[index] = (gate / (1 + Math.exp(-gate))) * (both[hidden + index] as number);
    }
    this.#kernel.multiply(layer.down, gated, this.#projected);
    addTo(this.#state, this.#projected);
  }
}

/** output = x / √(mean(x²) + ε) · gain */
function normalise(values: Float32Array, gain: Float32Array, output: Float32Array): void {
  let squares = 0;
  for (let index = 0; index < values.length; index += 1) squares += (values[index] as number) ** 2;
  const factor = 1 / Math.sqrt(squares / values.length + rmsEpsilon);
  for (let index = 0; index < values.length; index += 1)
    output[index] = (values[index] as number) * factor * (gain[index] as number);
}

function addTo(target: Float32Array, added: Float32Array): void {
  for (let index = 0; index < target.length; index += 1)
    target[index] = (target[index] as number) + (added[index] as number);
}

function transposed(kernel: Kernel, values: Float32Array, inputs: number, outputs: number): Matrix {
  const matrix = kernel.matrix(outputs, inputs);
  for (let row = 0; row < inputs; row += 1) {
    for (let column = 0; column < outputs; column += 1) {
      matrix.values[column * inputs + row] = values[row * outputs + column] as number;
    }
  }
  return matrix;
}
