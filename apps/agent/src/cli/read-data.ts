import { readFileSync } from 'node:fs';
import { PeerAiError } from '@peerai/core-protocol';
import { unreadable } from './open-file.ts';

/** `--data`: JSON, or `@file` that holds it. Throws USAGE. */
export function readData(text: string): unknown {
  const said = readText(text);
  try {
    return JSON.parse(said);
  } catch (cause) {
    throw new PeerAiError('USAGE', `--data is not JSON: ${(cause as Error).message}`, {}, { cause });
  }
}

/** A text, or `@file` that holds it. Throws USAGE. */
export function readText(text: string): string {
  return text.startsWith('@') ? readFileText(text.slice(1)) : text;
}

/** A text file. Throws USAGE. */
export function readFileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** A flag that is an amount of credits, as the agent takes it: the sentence names the flag, the agent's own would name a field. Throws USAGE. */
export function creditsOf(flag: string, text: string): string {
  if (!/^\d{1,3}(?:\.\d{1,6})?$/u.test(text))
    throw new PeerAiError('USAGE', `--${flag} is credits such as 0.5, below 1,000, not "${text}"`);
  return text;
}

/** A flag that is a count. Throws USAGE. */
export function wholeOf(flag: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new PeerAiError('USAGE', `--${flag} is a whole number, not "${text}"`);
  return number;
}
