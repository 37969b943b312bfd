import { PeerAiError } from '@peerai/core-protocol';
import type { Refusal } from './state.ts';

/** Thrown inside the fold alone, which turns it into an outcome. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

export function refuseIf(isWrong: boolean, refusal: Refusal): void {
  if (isWrong) throw new Refused(refusal);
}

const readingCodes = ['INVALID_FORMAT', 'INVALID_VERSION', 'LIMIT_EXCEEDED'] as const;
/** Why an entry was refused; rethrows what is no refusal. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  const code = readingCodes.find((one) => PeerAiError.is(error, one));
  if (code === undefined) throw error;
  return code;
}
