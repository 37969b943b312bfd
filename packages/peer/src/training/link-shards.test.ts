import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardsOf } from './link-shards.ts';
import { readTable } from './table.ts';
import type { TrainingPlan } from './training.schema.ts';

const language: TrainingPlan = { v: 1, model: 'language', size: 'small', learningRate: 0.01, seed: 1 };
const table: TrainingPlan = {
  v: 1,
  model: 'mlp',
  features: ['x'],
  label: 'told',
  classes: ['a', 'b'],
  hidden: [4],
  means: [0],
  deviations: [1],
  learningRate: 0.01,
  seed: 1,
};

test('a text is cut into parts of nearly one length that are the whole again, and no character is cut', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'é', '😀', '𝒳', '\n'), maxLength: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (text, count) => {
        const shards = shardsOf(language, text, count);
        expect([shards.length, shards.join('')]).toEqual([count, text]);
        for (const shard of shards) {
          expect(Math.abs(shard.length - text.length / count)).toBeLessThanOrEqual(2);
          expect(shard.isWellFormed()).toBe(true);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a table is dealt out row by row, each part with the heading, whatever stands in its cells', () => {
  const rows = Array.from({ length: 31 }, (_, row) => [`${row}`, `"say, ""${row}""\nso"`]);
  const text = ['x;told', ...rows.map((row) => row.join(';'))].join('\n');
  const parts = shardsOf(table, text, 3).map(readTable);
  for (const { columns } of parts) expect(columns).toEqual(['x', 'told']);
  expect(parts.map((part) => part.rows.length)).toEqual([11, 10, 10]);
  const all = parts.flatMap((part) => part.rows).toSorted((a, b) => Number(a[0]) - Number(b[0]));
  expect(all).toEqual(readTable(text).rows);
});
