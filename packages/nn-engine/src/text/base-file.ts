import { PeerAiError } from '@peerai/core-protocol';

import type { NnErrorCode } from '../errors.ts';
import { languageModelLayout, type LanguageModelSizes } from '../models/language-model.ts';
import { decodeContainer, encodeContainer } from '../nano/container.ts';
import type { Vocabulary } from '../nano/tokenizer.ts';
import { checkLength } from '../train/layout.ts';
import { byteCodec, nanoCodec, type TokenCodec } from './codec.ts';

const magic = 'PEERAIB1';

/** A whole language model, as what an adapter is trained on. */
export interface BaseModel {
  readonly sizes: LanguageModelSizes;
  /** Word pieces like the guide's; null where a token is a byte. */
  readonly vocabulary: Vocabulary | null;
  /** Flat, as `languageModelLayout`. */
  readonly weights: Float32Array;
}

interface Header {
  readonly sizes: LanguageModelSizes;
  readonly vocabulary: Vocabulary | null;
}

/** The model as one file: the same model gives the same bytes, so their SHA-256 names it. Throws SHAPE_MISMATCH. */
export function encodeBase({ sizes, vocabulary, weights }: BaseModel): Uint8Array {
  checkLength({ layout: languageModelLayout(sizes), weights });
  const { vocabulary: tokens, width, layers, heads, hidden, context } = sizes;
  const pieces = vocabulary && { characters: vocabulary.characters, merges: vocabulary.merges };
  const header: Header = { sizes: { vocabulary: tokens, width, layers, heads, hidden, context }, vocabulary: pieces };
  const bytes = new Uint8Array(weights.length * 4);
  const view = new DataView(bytes.buffer);
  weights.forEach((weight, index) => view.setFloat32(index * 4, weight, true));
  return encodeContainer(magic, header, new Map([['weights', bytes]]));
}

/** Reads what `encodeBase` wrote. Throws INVALID_FORMAT for another file. */
export function decodeBase(file: Uint8Array): BaseModel {
  const { header, sections } = decodeContainer<Header>(magic, file);
  const bytes = sections.get('weights') ?? new Uint8Array();
  const { sizes, vocabulary } = header;
  if (bytes.length !== 4 * languageModelLayout(sizes).size)
    throw new PeerAiError<NnErrorCode>('INVALID_FORMAT', 'The base has another number of weights than its sizes need.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const weights = Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
  return { sizes, vocabulary, weights };
}

/** How its tokens and texts become each other. */
export const baseCodec = ({ vocabulary }: Pick<BaseModel, 'vocabulary'>): TokenCodec =>
  vocabulary === null ? byteCodec : nanoCodec(vocabulary);
