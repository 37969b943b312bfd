import type { ClusterLesson } from '@peerai/peer/control';

/** Numbers between commas; undefined when there are not exactly so many, or one is none. */
export function numbersOf(text: string, count: number): number[] | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  return numbers.length === count && numbers.every((number) => Number.isFinite(number)) ? numbers : undefined;
}

/** An example a line, the class at its end; the number of the first line that is none. */
export function examplesOf(
  text: string,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): ClusterLesson['examples'] | { readonly line: number } {
  const examples: ClusterLesson['examples'] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const numbers = numbersOf(line, inputs + 1);
    const label = numbers?.at(-1) ?? -1;
    if (numbers === undefined || !Number.isInteger(label) || label < 0 || label >= outputs) return { line: index + 1 };
    examples.push({ input: numbers.slice(0, inputs), label });
  }
  return examples.length === 0 ? { line: 1 } : examples;
}

/** Whether the first two numbers have the same sign: class 1, or class 0. The others say nothing. */
export function drawTask(inputs: number, count: number, random: () => number): string {
  return Array.from({ length: count }, () => {
    const input = Array.from({ length: inputs }, () => Math.round((random() * 2 - 1) * 100) / 100);
    const [x = 0, y = 1] = input;
    return [...input, x * y > 0 ? 1 : 0].join(',');
  }).join('\n');
}

/** Where nodes stand: rows of a grid about twice as wide as high. */
export function gridOf(nodes: number): { readonly columns: number; readonly rows: number } {
  const columns = Math.max(1, Math.ceil(Math.sqrt(nodes * 2)));
  return { columns, rows: Math.max(1, Math.ceil(nodes / columns)) };
}

/** A line through values from `low` to `high` in a box; gaps where one is missing. */
export function sparkline(
  values: readonly (number | null)[],
  { low, high, width, height }: Readonly<Record<'low' | 'high' | 'width' | 'height', number>>,
): string {
  const step = width / Math.max(1, values.length - 1);
  let path = '';
  let pen = 'M';
  for (const [index, value] of values.entries()) {
    if (value === null) {
      pen = 'M';
      continue;
    }
    const y = height * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
    path += `${pen}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  }
  return path;
}
