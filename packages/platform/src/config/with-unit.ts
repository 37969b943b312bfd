import { PeerAiError } from '@peerai/core-protocol';
import * as z from 'zod';
import { parseDurationMs } from './units.ts';

type Unit = (text: string) => number;

/** A text with a unit; the config holds the number. */
export const withUnit = (parse: Unit, example: string, description: string) =>
  z
    .string()
    .transform((text, context): number => {
      try {
        return parse(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: PeerAiError.is(error) ? error.message : String(error) });
        return z.NEVER;
      }
    })
    .prefault(example)
    .describe(description);

export const duration = (example: string, description: string) => withUnit(parseDurationMs, example, description);
