import { createNodeRuntime } from '@peerai/nn-engine/node';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { live } from '../testing/steps.ts';
import { signs } from '../testing/training-town.ts';
import { imageTask, planOfImages } from './image-task.ts';
import { predict } from './predict.ts';
import { planOfTable, tableTask, tableWeights } from './table-task.ts';
import type { TrainingPlan } from './training.schema.ts';

const runtime = createNodeRuntime();
const code = (expected: string) => expect.objectContaining({ code: expected });
const learned = signs(40, 1);
const plan = planOfTable(learned, { label: 'sign', hidden: [4], learningRate: 0.01, seed: 1 });
const model = tableTask(plan, learned).model(tableWeights(plan));
const ask = (text: string, of: TrainingPlan = plan) => predict(runtime, { plan: of, text, model, signal: live() });

describe('what a trained model says of a table', () => {
  test('is told row by row, also of one row, in any order of columns, with others beside them', async () => {
    const whole = await ask('x,y,sign\n1,2,same\n-3,0.5,\n0.1,-2,other');
    expect(whole).toMatchObject({ labelled: 2, rows: [{ label: 'same' }, { label: null }, { label: 'other' }] });
    expect(whole.right).toBe(whole.rows.filter(({ answer, label }) => answer === label).length);
    for (const { answer, probability } of whole.rows) {
      expect(plan.classes).toContain(answer);
      // Of two labels the greater share.
      expect(probability).toBeGreaterThanOrEqual(0.5);
      expect(probability).toBeLessThan(1);
    }
    const [, second] = whole.rows;
    expect(await ask('id;y;x\nabc;0.5;-3')).toEqual({ rows: [second], labelled: 0, right: 0 });
  });

  test('is the same for rows that do not fit the model at once', async () => {
    const row = (index: number): string => `${Math.sin(index)},${Math.cos(3 * index)}`;
    const rows = Array.from({ length: limits.trainingHeldOutMax + 1 }, (_, index) => row(index));
    const whole = await ask(['x,y', ...rows].join('\n'));
    expect(whole.rows).toHaveLength(rows.length);
    const [last] = (await ask(`x,y\n${rows.at(-1) ?? ''}`)).rows;
    expect(whole.rows.at(-1)?.answer).toBe(last?.answer);
    expect(whole.rows.at(-1)?.probability).toBeCloseTo(last?.probability ?? 0, 5);
  });

  const many = (count: number): string => `x,y\n${'1,2\n'.repeat(count)}`;
  const wide = (count: number): string => {
    const names = ['x', 'y', ...Array.from({ length: count - 2 }, (_, index) => `c${index}`)];
    return `${names.join(',')}\n${names.map(() => '1').join(',')}`;
  };
  test.each([
    ['columns that are missing, each by its name', 'a,b\n1,2', 'DATA_INVALID', 'the columns x, y are missing'],
    [
      'one that is called otherwise',
      'x,Y\n1,2',
      'DATA_INVALID',
      'the columns y are missing: the model was trained with x, y',
    ],
    ['a cell that is no number', 'x,y\n1,2\n1,two', 'DATA_INVALID', 'row 2, column "y"'],
    [
      'a label that the model does not know',
      'x,y,sign\n1,2,equal',
      'DATA_INVALID',
      'row 1: "equal" is not one of the labels',
    ],
    ['a heading alone', 'x,y\n', 'DATA_TOO_SMALL', '1 are needed'],
    ['one row too many', many(limits.trainingRowsMax + 1), 'LIMIT_EXCEEDED', `${limits.trainingRowsMax} rows`],
    ['one column too many', wide(limits.trainingImageColumnsMax + 1), 'LIMIT_EXCEEDED', 'columns'],
  ])('is refused for %s', async (_, text, expected, why) => {
    await expect(ask(text)).rejects.toThrow(code(expected));
    await expect(ask(text)).rejects.toThrow(why);
  });

  test('is told of as wide a table as may be', async () => {
    expect((await ask(wide(limits.trainingImageColumnsMax))).rows).toHaveLength(1);
  });

  test('of images needs each pixel and nothing else; a run over text tells no labels', async () => {
    const names = Array.from({ length: 64 }, (_, index) => `p${index}`);
    const line = (cell: string): string => names.map(() => cell).join(',');
    const learnedFrom = ['label', ...names]
      .join(',')
      .concat(...Array.from({ length: 10 }, (_, row) => `\n${row % 2 === 0 ? 'a' : 'b'},${line('9')}`));
    const ofImages = planOfImages(learnedFrom, { label: 'label', filters: [2], learningRate: 0.01, seed: 1 });
    const task = imageTask(ofImages, learnedFrom);
    const file = task.model(new Float32Array(task.size));
    const told = (text: string) => predict(runtime, { plan: ofImages, text, model: file, signal: live() });
    expect((await told(`${names.join(',')}\n${line('9')}`)).rows).toEqual([
      { answer: 'a', probability: 0.5, label: null },
    ]);
    await expect(told(`${names.join(',')}\n${line('256')}`)).rejects.toThrow('row 1, column "p0": a pixel is 0 to 255');
    await expect(told(`id,${names.join(',')}\n1,${line('9')}`)).rejects.toThrow('there are 65 columns beside "label"');
    const language: TrainingPlan = { v: 1, model: 'language', size: 'small', learningRate: 0.01, seed: 1 };
    await expect(ask('x,y\n1,2', language)).rejects.toThrow(code('UNSUPPORTED'));
  });
});
