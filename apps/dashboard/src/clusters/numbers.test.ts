import { describe, expect, it } from 'vitest';
import { drawTask, examplesOf, gridOf, numbersOf, sparkline } from './numbers.ts';

describe('What is written for a cluster', () => {
  it('is so many numbers, or nothing', () => {
    expect(numbersOf(' 0.5, -2 ', 2)).toEqual([0.5, -2]);
    for (const text of ['', '1', '1,2,3', '1,', 'a,b']) expect(numbersOf(text, 2)).toBeUndefined();
  });

  it('is an example a line, and the line that is none is named', () => {
    const shape = { inputs: 2, outputs: 2 };
    expect(examplesOf('1,2,0\n\n3,4,1\n', shape)).toEqual([
      { input: [1, 2], label: 0 },
      { input: [3, 4], label: 1 },
    ]);
    for (const wrong of ['1,2,2', '1,2,0.5', '1,0', '1,2,-1', 'x'])
      expect(examplesOf(`1,2,0\n${wrong}`, shape)).toEqual({ line: 2 });
    expect(examplesOf('', shape)).toEqual({ line: 1 });
  });

  it('can be drawn, and is what is asked for', () => {
    const values = [0.9, 0.9, 0.1, 0.9];
    const text = drawTask(2, 2, () => values.shift() ?? 0);
    expect(text).toBe('0.8,0.8,1\n-0.8,0.8,0');
    expect(examplesOf(text, { inputs: 2, outputs: 2 })).toHaveLength(2);
  });
});

describe('What is drawn', () => {
  it('has a place for each node, and no more rows than needed', () => {
    for (const nodes of [1, 2, 32, 127, 256]) {
      const { columns, rows } = gridOf(nodes);
      expect([columns * rows >= nodes, columns * (rows - 1) < nodes]).toEqual([true, true]);
    }
  });

  it('is a line with gaps, inside its box', () => {
    const box = { low: 0, high: 1, width: 10, height: 10 };
    expect(sparkline([0, 1, null, 2, 0.5], box)).toBe('M0.0 10.0L2.5 0.0M7.5 0.0L10.0 5.0');
    expect(sparkline([null], box)).toBe('');
  });
});
