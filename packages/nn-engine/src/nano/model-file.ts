import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Layout } from '../train/layout.ts';
import { decodeContainer, encodeContainer } from './container.ts';
import type { WeightSource } from './plain.ts';
import { nanoLayout, type NanoSizes } from './sizes.ts';
import type { Vocabulary } from './tokenizer.ts';

const magic = 'PEERAIN2';
/** Weights that share one scale. */
export const blockSize = 64;
const levels = 127;

/** The confidence gate: the topic is answered when its probability is at least `minimum`. */
export interface Gate {
  readonly minimum: number;
}

export interface NanoModelFile {
  readonly sizes: NanoSizes;
  readonly vocabulary: Vocabulary;
  readonly gate: Gate;
  /** Of the corpus it was trained on. */
  readonly corpusHash: number;
  readonly steps: number;
  /** The canonical question of each topic, to be suggested. */
  readonly questions: readonly string[];
  /** What is said to a question that is not known. */
  readonly refusal: string;
  /** Flat, in the order of `nanoLayout`. */
  readonly weights: Float32Array;
}

type Header = Omit<NanoModelFile, 'weights'>;

/** The shipped form: matrices as int8 in blocks of 64 consecutive weights with one float32 scale each; the norms' gains as float32. */
export function encodeModelFile({ weights, ...header }: NanoModelFile): Uint8Array {
  const { matrices, gains } = split(header.sizes, weights);
  const { integers, scales } = quantise(matrices);
  const sections = new Map([
    ['int8', new Uint8Array(integers.buffer)],
    ['scales', new Uint8Array(scales.buffer)],
    ['gains', new Uint8Array(gains.buffer)],
  ]);
  return encodeContainer(magic, header, sections);
}

/** Throws INVALID_FORMAT when the file is cut, of another kind, or over `nanoFileBytesMax`. */
export function decodeModelFile(file: Uint8Array): NanoModelFile {
  if (file.length > limits.nanoFileBytesMax)
    throw invalid(`has ${file.length} bytes; ${limits.nanoFileBytesMax} are allowed`);
  const { header, sections } = decodeContainer<Header>(magic, file);
  const section = (name: string): ArrayBuffer => (sections.get(name) ?? new Uint8Array()).buffer as ArrayBuffer;
  const integers = new Int8Array(section('int8'));
  const [scales, gains] = [new Float32Array(section('scales')), new Float32Array(section('gains'))];
  const matrices = new Float32Array(integers.length);
  for (let index = 0; index < integers.length; index += 1) {
    matrices[index] = (integers[index] as number) * (scales[Math.floor(index / blockSize)] as number);
  }
  return { ...header, weights: join(header.sizes, matrices, gains) };
}

/** Single parameters out of a flat vector. */
export function weightSource({ parameters }: Layout, weights: Float32Array): WeightSource {
  const places = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  return (name) => {
    const place = places.get(name);
    if (place === undefined) throw new RangeError(`the layout has no parameter ${name}`);
    return weights.subarray(place.offset, place.offset + place.size);
  };
}

/** value ≈ integer · scale, scale = the block's largest magnitude / 127. */
export function quantise(values: Float32Array): {
  integers: Int8Array<ArrayBuffer>;
  scales: Float32Array<ArrayBuffer>;
} {
  const integers = new Int8Array(values.length);
  const scales = new Float32Array(Math.ceil(values.length / blockSize));
  for (let block = 0; block < scales.length; block += 1) {
    const part = values.subarray(block * blockSize, (block + 1) * blockSize);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.fround(largest / levels);
    scales[block] = scale;
    part.forEach((value, index) => (integers[block * blockSize + index] = scale === 0 ? 0 : Math.round(value / scale)));
  }
  return { integers, scales };
}

function split(sizes: NanoSizes, weights: Float32Array): { matrices: Float32Array; gains: Float32Array<ArrayBuffer> } {
  const { parameters, size } = nanoLayout(sizes);
  if (weights.length !== size) throw invalid(`has ${weights.length} weights where its sizes need ${size}`);
  const gainCount = parameters.reduce((sum, { shape, size }) => sum + (shape.length === 1 ? size : 0), 0);
  const [matrices, gains] = [new Float32Array(size - gainCount), new Float32Array(gainCount)];
  let [matrixEnd, gainEnd] = [0, 0];
  for (const { shape, offset, size } of parameters) {
    const part = weights.subarray(offset, offset + size);
    if (shape.length === 1) {
      gains.set(part, gainEnd);
      gainEnd += size;
    } else {
      matrices.set(part, matrixEnd);
      matrixEnd += size;
    }
  }
  return { matrices, gains };
}

function join(sizes: NanoSizes, matrices: Float32Array, gains: Float32Array): Float32Array {
  const { parameters, size } = nanoLayout(sizes);
  if (matrices.length + gains.length !== size)
    throw invalid(`has ${matrices.length + gains.length} weights where its sizes need ${size}`);
  const weights = new Float32Array(size);
  let [matrixEnd, gainEnd] = [0, 0];
  for (const { shape, offset, size } of parameters) {
    if (shape.length === 1) {
      weights.set(gains.subarray(gainEnd, gainEnd + size), offset);
      gainEnd += size;
    } else {
      weights.set(matrices.subarray(matrixEnd, matrixEnd + size), offset);
      matrixEnd += size;
    }
  }
  return weights;
}

function invalid(what: string): PeerAiError<NnErrorCode> {
  return new PeerAiError<NnErrorCode>('INVALID_FORMAT', `The nano model file ${what}.`);
}
