import type { TrainingDataView } from '@peerai/peer/control';
import { describe, expect, test } from 'vitest';
import { modelWished } from './commands/train-model.ts';

const text: TrainingDataView = { id: 'd', name: 'a.txt', bytes: 1, table: null, images: null };
const column = { name: 'sign', numeric: false, values: ['a', 'b'] };
const images: TrainingDataView = {
  ...text,
  table: { rows: 10, columns: [{ ...column, name: 'Label' }] },
  images: { side: 8, channels: 1 },
};
const table: TrainingDataView = { ...text, table: { rows: 10, columns: [column] } };

describe('what is to be trained', () => {
  test.each([
    [text, {}, { kind: 'language' }],
    [text, { size: 'medium' }, { kind: 'language', size: 'medium' }],
    [table, { label: 'sign', hidden: '8,4' }, { kind: 'mlp', label: 'sign', hidden: [8, 4] }],
    [table, { base: 'nano' }, { kind: 'adapter', base: 'nano' }],
    [images, { model: 'conv' }, { kind: 'conv', label: 'Label' }],
    [table, { model: 'conv', label: 'sign', filters: '4,8' }, { kind: 'conv', label: 'sign', filters: [4, 8] }],
    [text, { base: 'fox', rank: '4', alpha: '8' }, { kind: 'adapter', base: 'fox', rank: 4, alpha: 8 }],
  ])('follows from the data and the words: %#', (data, args, model) => {
    expect(modelWished(data, args)).toEqual(model);
  });

  test.each([
    [table, {}, 'this is a table'],
    [text, { size: 'large' }, 'small or medium'],
    [table, { model: 'conv' }, '--label names the column that says what each image shows'],
    [images, { model: 'conv', hidden: '8' }, '--hidden does not go with --model conv'],
    [images, { model: 'tree' }, '--model is mlp, language, adapter, conv'],
    [table, { model: 'mlp' }, '--label names the column to tell'],
    [text, { model: 'adapter' }, '--base names'],
    [text, { rank: '8' }, '--rank does not go with a text'],
    [text, { base: 'fox', label: 'sign' }, '--label does not go with --base'],
    [text, { base: 'fox', size: 'small' }, '--size does not go with --base'],
    [table, { label: 'sign', size: 'small' }, '--size does not go with --label'],
    [text, { base: 'fox', rank: 'many' }, '--rank is a number'],
  ])('is refused where the words do not go together: %#', (data, args, message) => {
    expect(() => modelWished(data, args)).toThrow(message);
  });
});
