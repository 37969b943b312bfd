import { PeerAiError } from '@peerai/core-protocol';
import { describe, expect, it } from 'vitest';

import { seededUnit } from '../../train/random.ts';
import { decoderShape, textKindOf } from './decoder-shape.ts';
import { type ForeignValue, readOnnxSummary } from './onnx-summary.ts';
import { decoder, decoderWeights } from './testing/decoder.ts';
import { embedder } from './testing/embedder.ts';

const value = (name: string, type: ForeignValue['type'], ...shape: (number | string)[]): ForeignValue => ({
  name,
  type,
  shape,
});
const ids = value('input_ids', 'int64', 'batch', 'sequence');
const past = value('past_key_values.0.key', 'float16', 'batch', 2, 'past', 4);
const present = value('present.0.key', 'float16', 'batch', 2, 'total', 4);
const logits = value('logits', 'float32', 'batch', 'sequence', 16);
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing was thrown';
  } catch (error) {
    return PeerAiError.is(error) ? `${error.code} ${error.message}` : String(error);
  }
};

describe('a decoder', () => {
  it('is told by its inputs and outputs', () => {
    const summary = readOnnxSummary(decoder(decoderWeights(seededUnit(1))));
    expect(textKindOf(summary)).toBe('language');
    const { inputs, carry, cache, vocabulary } = decoderShape(summary);
    expect(inputs).toEqual({ input_ids: 'int64', position_ids: 'int64', attention_mask: 'int64' });
    expect(Object.entries(carry)).toHaveLength(4);
    expect(carry).toMatchObject({ 'present.1.value': 'past_key_values.1.value' });
    expect([cache['past_key_values.0.key'], vocabulary]).toEqual([[1, 2, 0, 4], 16]);
  });

  it('may count in int32, leave its vocabulary open, and be without a cache or ask how many scores to give', () => {
    const inputs = [value('input_ids', 'int32', 1, 'n'), value('num_logits_to_keep', 'int64')];
    expect(decoderShape({ inputs, outputs: [value('logits', 'float16', 1, 'n', 'v')] })).toEqual({
      inputs: { input_ids: 'int32', num_logits_to_keep: 'int64' },
      carry: {},
      cache: {},
      vocabulary: 0,
    });
  });

  it('is no embedding model, nor what takes no tokens', () => {
    expect(textKindOf(readOnnxSummary(embedder()))).toBe('embedding');
    expect(textKindOf({ inputs: [value('x', 'float32', 2)], outputs: [logits] })).toBe(undefined);
  });

  it.each<[string, ForeignValue[], ForeignValue[], string]>([
    ['a merged one', [ids, value('use_cache_branch', 'bool', 1)], [logits], 'use_cache_branch'],
    ['another state', [ids, value('past_conv.0', 'float32', 1, 2, 3)], [logits], 'past_conv.0'],
    ['tokens of a fixed number', [value('input_ids', 'int64', 'batch', 8)], [logits], 'input_ids'],
    ['several texts at once only', [value('input_ids', 'int64', 2, 'n')], [logits], 'input_ids'],
    ['tokens as float32', [value('input_ids', 'float32', 'batch', 'n')], [logits], 'input_ids'],
    ['a mask of four axes', [ids, value('attention_mask', 'int64', 'b', 1, 'n', 'k')], [logits], 'attention_mask'],
    ['an encoder', [ids, value('token_type_ids', 'int64', 'batch', 'n')], [logits], 'token_type_ids'],
    ['no scores', [ids], [value('y', 'float32', 1, 'n', 16)], 'logits'],
    ['scores of the last token alone', [ids], [value('logits', 'float32', 'batch', 16)], 'logits'],
    ['no tokens', [past], [logits, present], 'input_ids'],
    ['a cache that is never given', [ids, past], [logits], 'present.0.key'],
    ['a cache that is never taken', [ids], [logits, present], 'present.0.key'],
    ['a cache of two types', [ids, past], [logits, { ...present, type: 'float32' }], 'present.0.key'],
    ['a cache of whole numbers', [ids, { ...past, type: 'uint8' }], [logits, present], 'past_key_values.0.key'],
    ['a cache of three axes', [ids, { ...past, shape: [2, 'past', 4] }], [logits, present], 'past_key_values.0.key'],
    ['a cache of a fixed length', [ids, { ...past, shape: [1, 2, 32, 4] }], [logits, present], 'past_key_values.0.key'],
    ['heads left open', [ids, { ...past, shape: ['b', 'h', 'p', 4] }], [logits, present], 'past_key_values.0.key'],
  ])('is refused with %s, by its name', (_, inputs, outputs, name) => {
    expect(codeOf(() => decoderShape({ inputs, outputs }))).toMatch(
      new RegExp(`^MODEL_REFUSED .*${name.replaceAll('.', '\\.')}`, 'u'),
    );
  });
});
