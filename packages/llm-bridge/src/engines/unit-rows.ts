import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';

/** An engine's vectors as the port gives them: one a text, of one length, float32, L2 norm 1. Throws ENGINE_FAILED. */
export function unitRows(rows: readonly (readonly number[])[], count: number): readonly Float32Array[] {
  const width = rows[0]?.length ?? 0;
  const even = rows.every((row) => row.length === width && row.every(Number.isFinite));
  if (rows.length !== count || !even || (count > 0 && (width === 0 || width > limits.embedDimensionsMax))) {
    throw llmError('ENGINE_FAILED', 'the engine gave vectors of another count or shape');
  }
  return rows.map((row) => {
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    return Float32Array.from(row, (value) => value / norm);
  });
}
