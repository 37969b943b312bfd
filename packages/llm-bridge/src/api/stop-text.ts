import { utf8 } from '@peerai/core-protocol';
import { z } from 'zod';
import { limits } from '../limits.ts';

/** A text that ends an answer: in bytes, as every way to a model counts it. */
export const stopText = z
  .string()
  .refine((text) => utf8(text).length <= limits.stopTextBytesMax, `at most ${limits.stopTextBytesMax} bytes`);
