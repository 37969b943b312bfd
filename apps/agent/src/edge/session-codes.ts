import { type Clock, type Random, toBase64Url } from '@peerai/core-protocol';

/** Where a page changes its code into its key. The one route of the control API without a token: the code is what it shows. */
export const sessionPath = '/api/v1/session';
/** How long a code is good, milliseconds: a browser that starts cold on a busy machine takes ten seconds, somebody who pastes the address a little more. */
export const codeMsMax = 60_000;
/** Codes at once: one for each browser that is just starting. The oldest gives way. */
export const codesMax = 16;

/**
 * One-time codes for `peerai open`. The address of a page is an argument of the program that opens it, and every user of a machine may read
 * the arguments of every program: what stands there must be worth nothing a moment later.
 */
export interface SessionCodes {
  make(): string;
  /** True once for each code, for `codeMsMax` milliseconds. */
  take(code: string): boolean;
}

export function createSessionCodes({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): SessionCodes {
  /** Code to the moment it was made, oldest first. */
  const made = new Map<string, number>();
  return {
    make() {
      const code = toBase64Url(random.bytes(32));
      made.set(code, clock.elapsedMs());
      for (const old of made.keys()) {
        if (made.size <= codesMax) break;
        made.delete(old);
      }
      return code;
    },
    take(code) {
      const madeMs = made.get(code);
      made.delete(code);
      return madeMs !== undefined && clock.elapsedMs() - madeMs <= codeMsMax;
    },
  };
}
