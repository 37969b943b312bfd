import { describe, expect, it } from 'vitest';
import { notMeasured, type Result, resultOf } from './harness.ts';
import { jsonLine, passes, table } from './report.ts';

const bench = { name: 'seal', question: 'How fast?' };
const met = resultOf({ case: 'out', unit: '/s', candidate: [123_456.789], baseline: [234_567.8], goal: 0.5 });
const missed = resultOf({ case: 'in', unit: 'ms', candidate: [7], goal: 5, rule: 'candidate-at-most' });
const info = resultOf({ case: 'part', unit: '/s', candidate: [1 / 3] });
const absent = notMeasured({ case: 'other', unit: '/s', goal: 0.8 });

describe('The JSON form', () => {
  it('is one line with name, pass and results of seven figures and the rule of the goal', () => {
    const line = jsonLine(bench, { results: [met, info] });
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual({
      name: 'seal',
      pass: true,
      results: [
        {
          case: 'out',
          ratio: 0.5263,
          goal: 0.5,
          pass: true,
          baseline: 234_568,
          candidate: 123_457,
          unit: '/s',
          rule: 'ratio-at-least',
        },
        {
          case: 'part',
          ratio: null,
          goal: null,
          pass: true,
          baseline: null,
          candidate: 0.3333,
          unit: '/s',
          rule: null,
        },
      ],
    });
  });

  it.each<[string, readonly Result[], boolean]>([
    ['all goals met', [met, info], true],
    ['one missed', [met, missed], false],
    ['one not measured', [met, absent], false],
    ['nothing at all', [], false],
  ])('with %s passes: %s', (_, results, pass) => {
    expect(passes(results)).toBe(pass);
    expect(JSON.parse(jsonLine(bench, { results }))).toMatchObject({ pass });
  });
});

describe('The table', () => {
  it('has one row a case, says which goals were met, and keeps the notes', () => {
    const text = table(bench, { results: [met, missed, info, absent], notes: ['a note'] });
    const lines = text.split('\n').map((line) => line.trim().replaceAll(/\s{2,}/g, ' | '));
    expect(lines).toEqual([
      'seal: How fast?',
      '',
      'case | candidate | baseline | unit | ratio | goal',
      'out | 123457 | 234568 | /s | 0.526 | ≥ 0.5 × | met',
      'in | 7 | – | ms | – | ≤ 5 ms | missed',
      'part | 0.3333 | – | /s | –',
      'other | – | – | /s | – | ≥ 0.8 × | not measured',
      'a note',
      '',
    ]);
  });
});
