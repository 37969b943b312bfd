import { llmError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Characters of one number in JSON, its comma included: `-1.2345678901234567e-10,`. */
const numberCharsMax = 24;

/** The longest reply that can hold the vectors of so many texts, bytes. */
export const embedReplyBytesMax = (count: number): number =>
  limits.engineEventCharsMax + count * limits.embedDimensionsMax * numberCharsMax;

/** An engine's vectors as the port gives them: one a text, of one length, float32, L2 norm 1. Throws ENGINE_FAILED. */
export function unitRows(rows: readonly (readonly number[])[], count: number): readonly Float32Array[] {
  const width = rows[0]?.length ?? 0;
  const even = rows.every((row) => row.length === width && row.every(Number.isFinite));
  if (rows.length !== count || !even || (count > 0 && (width === 0 || width > limits.embedDimensionsMax))) {
    throw llmError('ENGINE_FAILED', 'the engine gave vectors of another count or shape');
  }
  return rows.map((row) => {
    const norm = Math.hypot(...row);
    if (norm === 0) throw llmError('ENGINE_FAILED', 'the engine gave a vector of zeros, which points nowhere');
    return Float32Array.from(row, (value) => value / norm);
  });
}
