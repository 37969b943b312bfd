import { expect, test } from 'vitest';
import { z } from 'zod';
import { validation } from './body.ts';

const schema = z.object({
  rounds: z.int().min(1).max(10).optional(),
  rate: z.number().gt(0).optional(),
  name: z.string().max(4, 'a short name').optional(),
  tags: z.array(z.string()).max(1).optional(),
});

test.each([
  [{ rounds: 0 }, 'rounds: it must be at least 1'],
  [{ rounds: 11 }, 'rounds: it must be at most 10'],
  [{ rate: 0 }, 'rate: it must be above 0'],
  [{ tags: ['a', 'b'] }, 'tags: it must be at most 1 of them'],
  [{ name: 'longer' }, 'name: a short name'],
])('%j is refused with its place and its bound', async (body, message) => {
  const checked = validation.transform(body, { type: 'body', metatype: Object, schema } as never);
  await expect(checked).rejects.toMatchObject({ code: 'INVALID_FORMAT', message });
});
