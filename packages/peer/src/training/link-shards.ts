import Papa from 'papaparse';
import { readImageTable } from './images.ts';
import { readTable } from './table.ts';
import type { TrainingPlan } from './training.schema.ts';

/** Data that is handed out, cut into as many parts as visitors may come: no two of them learn from the same. Throws what `readTable` throws. */
export function shardsOf(plan: TrainingPlan, text: string, count: number): readonly string[] {
  if (plan.model === 'language' || plan.model === 'adapter')
    return Array.from({ length: count }, (_, place) => pieceOf(text, place, count));
  const { columns, rows } = plan.model === 'conv' ? readImageTable(text) : readTable(text);
  return Array.from({ length: count }, (_, place) =>
    Papa.unparse([[...columns], ...rows.filter((__, row) => row % count === place).map((row) => [...row])]),
  );
}

/** A stretch of the text; none begins in the middle of a character. */
function pieceOf(text: string, place: number, count: number): string {
  const cutAt = (part: number): number => {
    const index = Math.floor((text.length * part) / count);
    const isInside = /[\uDC00-\uDFFF]/u.test(text.charAt(index)) && /[\uD800-\uDBFF]/u.test(text.charAt(index - 1));
    return isInside ? index + 1 : index;
  };
  return text.slice(cutAt(place), cutAt(place + 1));
}
