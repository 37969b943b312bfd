import { z } from 'zod';

export const checkSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(['ok', 'look', 'broken']),
  /** What was seen, one sentence. */
  cause: z.string(),
  /** What to do, absent when fine. */
  remedy: z.string().optional(),
  /** The command that does it. */
  command: z.string().optional(),
});
export const doctorSchema = z.object({ v: z.literal(1), checks: z.array(checkSchema) });
export type Check = z.infer<typeof checkSchema>;
export type DoctorView = z.infer<typeof doctorSchema>;
