import type { z } from 'zod';
import { llmError } from '../errors.ts';

/** A reply that keeps its schema. Throws ENGINE_FAILED. */
export function checkReply<Schema extends z.ZodType>(schema: Schema, reply: unknown): z.output<Schema> {
  const checked = schema.safeParse(reply);
  if (!checked.success) throw llmError('ENGINE_FAILED', 'the engine answered in an unknown shape', {}, checked.error);
  return checked.data;
}
