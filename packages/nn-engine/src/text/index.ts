/**
 * Language models that go on with a text, by their weights: what was trained here, asked as any other model.
 *
 * @packageDocumentation
 */
export { type BaseModel, baseCodec, decodeBase, encodeBase } from './base-file.ts';
export { byteCodec, nanoCodec, type TokenCodec } from './codec.ts';
export { type OpenedText, type TextModelDeps, textModel } from './text-model.ts';
export { byteTokenizerJson, nanoTokenizerJson } from './tokenizer-json.ts';
export { plainDecoder } from './plain-decoder.ts';
export { decodeModelFile, type NanoModelFile } from '../nano/model-file.ts';
export { guideOver } from '../nano/guide.ts';
export type { Vocabulary } from '../nano/tokenizer.ts';
export type { Decoder, DecoderSession } from '../nano/plain.ts';
