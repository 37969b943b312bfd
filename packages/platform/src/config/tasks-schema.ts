import * as z from 'zod';
import { duration } from './with-unit.ts';

/** A program that does tasks, asked by HTTP. */
const hook = z.strictObject({
  types: z
    .array(
      z
        .string()
        .regex(/^[a-z][a-z0-9_-]{0,63}$/u, 'a type is small letters, digits, - and _, at most 64 and a letter first'),
    )
    .min(1, 'name at least one type')
    .max(32, 'at most 32 types'),
  url: z
    .string()
    .refine((text) => /^https?:$/u.test(URL.parse(text)?.protocol ?? ''), 'this is no http or https address'),
  repeatable: z.boolean().default(false),
  timeout: duration('60s', 'How long it may take.'),
});

export const tasksSection = z
  .strictObject({
    max_concurrent: z
      .int('this is a whole number')
      .min(1, 'at least 1')
      .max(64, 'at most 64')
      .default(1)
      .describe('Tasks of paired devices done at the same time.'),
    hooks: z
      .array(hook)
      .max(32, 'at most 32 entries')
      .default([])
      .describe(
        'Programs that do tasks of more types: {types, url, repeatable, timeout}. The task is posted as JSON, the answer is its result. repeatable: it may run again after a crash.',
      ),
    hook_hosts: z
      .array(z.string().min(1, 'an empty entry'))
      .max(64, 'at most 64 entries')
      .default([])
      .describe('Hosts besides this machine that hooks may be on.'),
  })
  .superRefine(({ hooks, hook_hosts: hosts }, context) => {
    const seen = new Set<string>();
    for (const [index, { url, types }] of hooks.entries()) {
      const host = URL.parse(url)?.hostname.toLowerCase() ?? '';
      if (!isLoopback(host) && !hosts.some((one) => one.toLowerCase() === host))
        context.addIssue({
          code: 'custom',
          path: ['hooks', index, 'url'],
          message: `${host} is not this machine; name it in tasks.hook_hosts`,
        });
      const twice = types.find((type) => seen.has(type));
      if (twice !== undefined)
        context.addIssue({ code: 'custom', path: ['hooks', index, 'types'], message: `${twice} has a hook already` });
      for (const type of types) seen.add(type);
    }
  })
  .prefault({});

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/u.test(host);
