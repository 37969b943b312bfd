import { numbersOf } from '../clusters/numbers.ts';

/** A vector a line, all as long as the first; the number of the first line that is none. Empty lines are passed over. */
export function vectorsOf(text: string): number[][] | { readonly line: number } {
  const vectors: number[][] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const vector = numbersOf(line, vectors[0]?.length ?? line.split(',').length);
    if (vector === undefined) return { line: index + 1 };
    vectors.push(vector);
  }
  return vectors.length === 0 ? { line: 1 } : vectors;
}

/** A wave and the same a step later: something to try it with. */
export const wave = Array.from({ length: 16 }, (_, step) =>
  [Math.sin(step / 4), Math.sin(step / 4 + 1)].map((value) => value.toFixed(2)).join(', '),
).join('\n');
