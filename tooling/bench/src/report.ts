import { type Answer, type Bench, ofRatio, type Result, type Rule } from './harness.ts';
import type { Question } from './questions.ts';

/** True when every goal was measured and met, and there is something to judge. */
export function passes(results: readonly Result[]): boolean {
  return results.length > 0 && results.every(({ pass }) => pass);
}

/** The machine's form: one line. Figures have four significant digits. */
export function jsonLine({ name }: Pick<Bench, 'name'>, { results }: Answer): string {
  const rows = results.map((result) => ({
    ...result,
    ratio: rounded(result.ratio),
    baseline: rounded(result.baseline),
    candidate: rounded(result.candidate),
  }));
  return JSON.stringify({ name, pass: passes(results), results: rows });
}

/** The people's form. */
export function table(
  { name, question }: Pick<Bench, 'name'> & Pick<Question, 'question'>,
  { results, notes = [] }: Answer,
): string {
  const head = ['case', 'candidate', 'baseline', 'unit', 'ratio', 'goal', ''];
  const rows = results.map((result) => [
    result.case,
    figure(result.candidate),
    figure(result.baseline),
    result.unit,
    result.ratio === null ? '–' : String(rounded(result.ratio, 3)),
    goalText(result),
    verdict(result),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 || column === 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [`${name}: ${question}`, '', line(head), ...rows.map(line), ...notes.map((note) => `  ${note}`), ''].join(
    '\n',
  );
}

const signs: Readonly<Record<Rule, string>> = {
  'ratio-at-least': '≥',
  'ratio-at-most': '≤',
  'candidate-at-least': '≥',
  'candidate-at-most': '≤',
};

function goalText({ goal, rule, unit }: Result): string {
  if (goal === null || rule === null) return '';
  return `${signs[rule]} ${goal}${ofRatio(rule) ? ' ×' : ` ${unit}`}`;
}

function verdict({ goal, pass, candidate, baseline, rule }: Result): string {
  if (goal === null) return '';
  if (candidate === null || (rule !== null && ofRatio(rule) && baseline === null)) return 'not measured';
  return pass ? 'met' : 'missed';
}

const figure = (value: number | null): string => (value === null ? '–' : String(rounded(value)));

function rounded(value: number | null, digits = 4): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  const whole = Math.abs(value) >= 10 ** digits;
  return whole ? Math.round(value) : Number(value.toPrecision(digits));
}
