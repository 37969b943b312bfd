import { z } from 'zod';

export const configViewSchema = z.object({
  v: z.literal(1),
  values: z.array(z.object({ key: z.string(), value: z.unknown(), origin: z.string() })),
});
export type ConfigView = z.infer<typeof configViewSchema>;
